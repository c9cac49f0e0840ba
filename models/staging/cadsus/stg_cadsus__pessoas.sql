-- Grain: one row per raw row, every version kept. Dates come as AAAA-MM-DD or, straight from the
-- service, as AAAAMMDD with or without a time; that of a death may lack its day and month.
{{ config(materialized='by_load') }}

with source as (
    select * from {{ source('bruto_cadsus', 'pessoa') }}
),

final as (
    select
        -- identificadores
        {{ null_if_blank('id_pessoa') }} as cadsus_id,
        {{ pad_code('cpf', 11, min_digits=9) }} as cpf,
        -- datas
        coalesce(
            {{ plausible('data_nascimento', 'iso', 'nascimento') }},
            {{ plausible('data_nascimento', 'compact', 'nascimento') }}
        ) as data_nascimento,
        coalesce(
            {{ plausible('data_obito', 'iso', 'obito') }},
            {{ plausible('data_obito', 'compact', 'obito') }},
            {{ plausible('data_obito', 'dmy', 'obito') }},
            {{ plausible('data_obito', 'said', 'obito') }}
        ) as data_obito,
        {{ plausible('data_consulta', 'timestamp') }} as momento_consulta,
        -- categorias
        upper({{ null_if_blank('sexo') }}) as sexo_codigo,
        {{ pad_code('raca_cor', 2) }} as raca_cor_codigo,
        {{ null_if_blank('etnia') }} as etnia_codigo,
        {{ null_if_blank('nacionalidade') }} as nacionalidade_codigo,
        lower({{ null_if_blank('situacao_cadastro') }}) as cadastro_situacao,
        left({{ null_if_blank('nasc_ibge') }}, 6) as nascimento_municipio_ibge,
        left({{ null_if_blank('res_ibge') }}, 6) as residencia_municipio_ibge,
        {{ null_if_blank('res_bairro') }} as residencia_bairro,
        {{ pad_code('res_cep', 8) }} as residencia_cep,
        -- A date of death that cannot be read still tells of a death; zeros tell nothing.
        coalesce(
            {{ flag('falecido') }},
            case when {{ regexp_like('data_obito', '[1-9]') }} then true end
        ) as eh_falecida,
        {{ flag('protegido') }} as eh_protegida,
        -- textos
        {{ null_if_blank('nome') }} as nome,
        {{ null_if_blank('nome_social') }} as nome_social,
        {{ null_if_blank('nome_mae') }} as mae_nome,
        -- metadados
        {{ null_if_blank('qualidade') }} as qualidade,
        {{ null_if_blank('origem') }} as origem,
        {{ implausible([
            ('data_nascimento', 'iso', 'nascimento'),
            ('data_nascimento', 'compact', 'nascimento'),
            ('data_obito', 'iso', 'obito'),
            ('data_obito', 'compact', 'obito'),
            ('data_obito', 'dmy', 'obito'),
            ('data_obito', 'said', 'obito'),
            ('data_consulta', 'timestamp', 'data'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
