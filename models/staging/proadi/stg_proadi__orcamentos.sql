-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_proadi', 'orcamento') }}
),

final as (
    select
        -- identificadores
        _chave as registro_id,
        {{ digits_of('nup') }} as projeto_nup,
        {{ null_if_blank('conta') }} as conta_codigo,
        -- quantidades
        {{ plausible('exercicio', 'integer', 'ano') }} as exercicio,
        cast({{ plausible('previsto', 'decimal', 'reais') }} as decimal(18, 2)) as valor_previsto,
        cast(
            case
                when {{ null_if_blank('aditado') }} is null then 0
                else {{ plausible('aditado', 'decimal', 'reais_com_sinal') }}
            end as decimal(18, 2)
        ) as valor_aditado,
        cast({{ plausible('executado_entidade', 'decimal', 'reais') }} as decimal(18, 2))
            as valor_executado_entidade,
        cast({{ plausible('executado_auditoria', 'decimal', 'reais') }} as decimal(18, 2))
            as valor_executado_auditoria,
        cast({{ plausible('executado_aprovado', 'decimal', 'reais') }} as decimal(18, 2))
            as valor_executado_aprovado,
        -- metadados
        {{ implausible([
            ('previsto', 'decimal', 'reais'),
            ('aditado', 'decimal', 'reais_com_sinal'),
            ('executado_entidade', 'decimal', 'reais'),
            ('executado_auditoria', 'decimal', 'reais'),
            ('executado_aprovado', 'decimal', 'reais'),
            ('exercicio', 'integer', 'ano'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
