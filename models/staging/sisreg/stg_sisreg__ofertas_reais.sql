-- Grain: one row per raw row, all versions. The report's words for slots become the project's.
{% set julgadas = [("competencia || '01'", 'compact', 'data'), ('data_extracao', 'dmy', 'data')] %}
{% for medida in ['total', 'bloqueada', 'ativa'] %}
{% for tipo in ['prim_vez', 'retorno', 'reserva', 'geral'] %}
{% do julgadas.append(('qtd_' ~ medida ~ '_' ~ tipo, 'integer', 'limite')) %}
{% endfor %}
{% endfor %}
{% for medida in ['ppi_total', 'ppi_local', 'ppi_pactuada', 'teto', 'oferta_real'] %}
{% do julgadas.append(('qtd_' ~ medida, 'integer', 'limite')) %}
{% endfor %}

with source as (
    select * from {{ source('bruto_sisreg', 'oferta_real') }}
),

final as (
    select
        -- identificadores
        {{ null_if_blank('cod_central_exec') }} as central_executora_codigo,
        {{ pad_code('cod_cnes_exec', 7) }} as unidade_executante_cnes,
        {{ null_if_blank('desc_cnes_exec') }} as unidade_executante_nome,
        {{ pad_code('cod_procedimento_interno', 7) }} as procedimento_codigo,
        {{ null_if_blank('desc_procedimento_interno') }} as procedimento_nome,
        -- datas
        {{ plausible("competencia || '01'", 'compact') }} as competencia,
        {{ plausible('data_extracao', 'dmy') }} as data_extracao,
        -- categorias
        coalesce(lower({{ null_if_blank('tipo_agenda') }}), 'todas') as agenda_tipo,
        -- quantidades
        {% for medida in ['total', 'bloqueada', 'ativa'] %}
        {{ plausible('qtd_' ~ medida ~ '_prim_vez', 'integer', 'limite') }}
            as qtd_{{ medida }}_primeira_vez,
        {% for tipo in ['retorno', 'reserva', 'geral'] %}
        {{ plausible('qtd_' ~ medida ~ '_' ~ tipo, 'integer', 'limite') }}
            as qtd_{{ medida }}_{{ tipo }},
        {% endfor %}
        {% endfor %}
        {% for medida in ['ppi_total', 'ppi_local', 'ppi_pactuada', 'teto', 'oferta_real'] %}
        {{ plausible('qtd_' ~ medida, 'integer', 'limite') }} as qtd_{{ medida }},
        {% endfor %}
        -- metadados
        {{ implausible(julgadas) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
