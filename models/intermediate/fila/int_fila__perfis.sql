-- Grain: one row per month and request that waited at its end, with what is known of its person
-- then. Rules regra_relogio_espera, regra_perfil_pessoa and regra_qualificacao_fila.
with esperas as (
    select
        e.*,
        least({{ last_day_of_month('e.competencia') }}, {{ data_referencia() }}) as data_fim_do_mes
    from {{ ref('int_fila__esperas') }} as e
    where e.situacao = 'aguardando'
),

solicitacoes as (
    -- Numbers are sorted and counted at a fraction of what pseudonyms cost.
    select
        s.*,
        dense_rank() over (order by coalesce(s.pessoa_id, s.solicitacao_codigo)) as contada_como,
        row_number() over (order by s.momento_solicitacao, s.solicitacao_codigo) as vez
    from {{ ref('int_fila__solicitacoes') }} as s
),

identidades as (
    select * from {{ ref('int_pessoas__identidade') }}
),

perfis as (
    select * from {{ ref('int_pessoas__perfis') }}
),

reunidas as (
    select
        e.*,
        s.pessoa_id,
        s.contada_como,
        s.vez,
        coalesce(s.pessoa_data_obito <= e.data_fim_do_mes, false) as eh_obito,
        s.pessoa_tem_obito_sem_data as eh_obito_sem_data,
        coalesce(v.tem_conflito_cpf, false)
        or coalesce(s.pessoa_data_obito < cast(s.momento_solicitacao as date), false)
            as eh_contradicao,
        p.sexo_codigo,
        p.raca_cor_codigo,
        p.data_nascimento,
        p.regiao_atual_codigo
    from esperas as e
    inner join solicitacoes as s on e.solicitacao_codigo = s.solicitacao_codigo
    left join identidades as v on e.solicitacao_codigo = v.solicitacao_codigo
    left join perfis as p on e.solicitacao_codigo = p.solicitacao_codigo
),

final as (
    select
        r.competencia,
        r.solicitacao_codigo,
        r.procedimento_codigo,
        r.contada_como,
        coalesce(r.sexo_codigo, 'nao_informado') as sexo_codigo,
        coalesce(r.raca_cor_codigo, 'nao_informado') as raca_cor_codigo,
        {{ age_band('r.data_nascimento', 'r.data_fim_do_mes') }} as faixa_etaria,
        case when r.pessoa_id is null then 'sem_identidade' else 'com_identidade' end
            as identidade,
        r.eh_obito,
        r.eh_obito_sem_data,
        row_number() over (
            partition by r.competencia, r.procedimento_codigo, r.contada_como
            order by r.vez
        ) > 1 as eh_repetido,
        coalesce(
            r.regiao_atual_codigo = 'fora_do_territorio'
            and r.regiao_saude_codigo <> 'fora_do_territorio', false
        ) as eh_saida_do_territorio,
        coalesce(
            r.regiao_atual_codigo not in ('fora_do_territorio', 'nao_identificada')
            and r.regiao_saude_codigo not in ('fora_do_territorio', 'nao_identificada')
            and r.regiao_atual_codigo <> r.regiao_saude_codigo, false
        ) as eh_mudanca_de_regiao,
        r.pessoa_id is null as eh_sem_identidade,
        r.eh_contradicao,
        {{ days_between('r.data_inicio', 'r.data_fim_do_mes') }} > 365 as eh_sem_movimento
    from reunidas as r
)

select * from final
