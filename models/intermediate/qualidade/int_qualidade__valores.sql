-- Grain: raw row, column. The values that staging set aside because they are not plausible: where
-- they stand and why, never what they say.
{% set tabelas = {
    'bruto_sisreg.escala_ambulatorial': ref('stg_sisreg__escalas'),
    'bruto_sisreg.agendamento': ref('stg_sisreg__agendamentos'),
    'bruto_sisreg.afastamento_profissional': ref('stg_sisreg__afastamentos_profissionais'),
    'bruto_sisreg.afastamento_unidade': ref('stg_sisreg__afastamentos_unidades'),
    'bruto_sisreg.feriado': ref('stg_sisreg__feriados'),
    'bruto_sisreg.ppi': ref('stg_sisreg__ppi'),
    'bruto_sisreg.teto': ref('stg_sisreg__tetos'),
    'bruto_sisreg.cota': ref('stg_sisreg__cotas'),
    'bruto_sisreg.oferta_real': ref('stg_sisreg__ofertas_reais'),
    'bruto_sisreg.solicitacao_ambulatorial': ref('stg_sisreg__solicitacoes_ambulatoriais'),
    'bruto_sisreg.marcacao_ambulatorial': ref('stg_sisreg__marcacoes_ambulatoriais'),
    'bruto_sisreg.solicitacao_hospitalar': ref('stg_sisreg__solicitacoes_hospitalares'),
    'bruto_sisreg.fila_ambulatorial_2017_08': ref('stg_sisreg__filas_ambulatoriais_2017_08'),
    'bruto_sisreg.fila_hospitalar_2017_08': ref('stg_sisreg__filas_hospitalares_2017_08'),
    'bruto_sisreg.fila_2017_10': ref('stg_sisreg__filas_2017_10'),
    'bruto_sisreg.fila_2018_03': ref('stg_sisreg__filas_2018_03'),
    'bruto_cadsus.consulta': ref('stg_cadsus__consultas'),
    'bruto_cadsus.pessoa': ref('stg_cadsus__pessoas'),
    'bruto_cnes.estabelecimento': ref('stg_cnes__estabelecimentos'),
    'bruto_cnes.carga_horaria': ref('stg_cnes__cargas_horarias'),
    'bruto_proadi.entidade': ref('stg_proadi__entidades'),
    'bruto_proadi.termo': ref('stg_proadi__termos'),
    'bruto_proadi.isencao': ref('stg_proadi__isencoes'),
    'bruto_proadi.projeto': ref('stg_proadi__projetos'),
    'bruto_proadi.orcamento': ref('stg_proadi__orcamentos'),
    'bruto_proadi.meta': ref('stg_proadi__metas'),
    'bruto_proadi.evento': ref('stg_proadi__eventos'),
    'bruto_proadi.bem': ref('stg_proadi__bens'),
} %}

with cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

linhas as (
    {% for tabela, modelo in tabelas.items() %}
    select
        '{{ tabela }}' as tabela,
        l._carga_id,
        l._arquivo,
        l._linha,
        l.valores_implausiveis
    from {{ modelo }} as l
    where l.valores_implausiveis is not null
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

valores as (
    select
        l.tabela,
        l._carga_id,
        l._arquivo,
        l._linha,
        {{ explode(split_text('l.valores_implausiveis', '; ')) }} as valor
    from linhas as l
),

final as (
    select
        -- identificadores
        v.tabela,
        split_part(v.valor, ': ', 1) as coluna,
        -- datas
        c.visto_em,
        -- categorias
        max(split_part(v.valor, ': ', 2)) as motivo,
        -- metadados
        v._carga_id,
        v._arquivo,
        v._linha
    from valores as v
    inner join cargas as c on v._carga_id = c.carga_id
    -- a date that two ways of writing can read is one value
    group by
        v.tabela, split_part(v.valor, ': ', 1), c.visto_em, v._carga_id, v._arquivo, v._linha
)

select * from final
