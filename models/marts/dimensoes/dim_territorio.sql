with regioes_administrativas as (
    select * from {{ ref('regioes_administrativas') }}
),

regioes_saude as (
    select * from {{ ref('regioes_saude') }}
),

final as (
    select
        a.regiao_administrativa_numero,
        a.regiao_administrativa_nome,
        a.subdistrito_ibge,
        a.regiao_saude_codigo,
        s.regiao_saude_nome,
        s.populacao as populacao_regiao_saude,
        s.populacao_ano
    from regioes_administrativas as a
    left join regioes_saude as s
        on a.regiao_saude_codigo = s.regiao_saude_codigo
)

select * from final
