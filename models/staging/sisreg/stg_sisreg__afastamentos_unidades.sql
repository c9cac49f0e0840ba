-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_sisreg', 'afastamento_unidade') }}
),

final as (
    select
        -- identificadores
        _chave as afastamento_codigo,
        {{ pad_code('cod_cnes_exec', 7) }} as unidade_executante_cnes,
        -- datas e horários
        {{ plausible('data_inicio', 'dmy') }} as data_inicio,
        {{ try_time_minutes('hora_inicio') }} as minuto_inicio,
        -- a leave without end goes on; taking it away would offer slots of somebody who is not
        -- there
        case
            when {{ is_open_end('data_fim', 'dmy') }} then {{ last_plausible_day('data') }}
            else {{ plausible('data_fim', 'dmy') }}
        end as data_fim,
        {{ try_time_minutes('hora_fim') }} as minuto_fim,
        -- categorias
        {{ null_if_blank('motivo') }} as afastamento_motivo,
        -- metadados
        {{ implausible([
            ('data_inicio', 'dmy', 'data'),
            ('data_fim', 'dmy', 'data'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
