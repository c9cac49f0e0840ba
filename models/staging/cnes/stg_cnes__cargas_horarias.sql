-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_cnes', 'carga_horaria') }}
),

final as (
    select
        -- identificadores
        {{ pad_code('cod_cnes', 7) }} as unidade_cnes,
        {{ pad_code('cpf_profissional', 11, min_digits=9) }} as profissional_cpf,
        {{ pad_code('cod_cbo', 6) }} as profissional_cbo,
        {{ pad_code('cod_vinculo', 6, min_digits=5) }} as vinculo_codigo,
        -- datas
        {{ plausible("competencia || '01'", 'compact') }} as competencia,
        -- quantidades
        {{ plausible('horas_ambulatoriais_semana', 'integer', 'horas_semana') }}
            as qtd_horas_semanais,
        -- metadados
        {{ implausible([
            ("competencia || '01'", 'compact', 'data'),
            ('horas_ambulatoriais_semana', 'integer', 'horas_semana'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
