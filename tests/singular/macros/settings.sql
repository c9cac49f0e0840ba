-- A variable that passes unread into SQL could say anything there; one refused wrongly stops a build.
{% set cases = [
    ('data_referencia', none, true),
    ('data_referencia', '2026-06-30', true),
    ('data_referencia', '2024-02-29', true),
    ('data_referencia', '2026-02-29', false),
    ('data_referencia', '2026-06-31', false),
    ('data_referencia', '2026-13-01', false),
    ('data_referencia', '2026-06-00', false),
    ('data_referencia', '0202-06-30', false),
    ('data_referencia', '2202-06-30', false),
    ('data_referencia', '30/06/2026', false),
    ('data_referencia', "2026-06-30' or 1=1 --", false),
    ('data_referencia', '2026-06-30\n', false),
    ('data_referencia', '', false),
    ('data_referencia', 20260630, false),
    ('data_referencia', ['2026-06-30'], false),
    ('data_referencia', true, false),
    ('conhecido_em', '2026-05-01', true),
    ('conhecido_em', "2026-05-01' as date) or true or cast('2026-05-01", false),
    ('conhecido_em', {'dia': 1}, false),
    ('horizonte_dias', 365, true),
    ('horizonte_dias', 0, true),
    ('horizonte_dias', -1, false),
    ('horizonte_dias', 255000, false),
    ('horizonte_dias', 30.5, false),
    ('horizonte_dias', '365', false),
    ('horizonte_dias', true, false),
    ('horizonte_dias', none, false),
    ('horizonte_dias', '1) or (1=1', false),
    ('alerta_queda_desvios', 2.5, true),
    ('alerta_queda_desvios', 101, false),
    ('alerta_queda_minima_pct', 100, true),
    ('alerta_queda_minima_pct', 100.5, false),
    ('municipio_ibge6', '530010', true),
    ('municipio_ibge6', 530010, false),
    ('municipio_ibge6', "53001'", false),
    ('municipio_ibge6', '5300108', false),
    ('central_codigo', '32C164', true),
    ('central_codigo', '32c164', false),
    ('central_codigo', 530010, false),
    ('uf_sigla', 'GO', true),
    ('uf_sigla', 'go', false),
    ('uf_sigla', "G'", false),
    ('uf_sigla', 52, false),
    ('responsavel', 'Secretaria de Saúde - SES/GO', true),
    ('responsavel', "D'Oeste", false),
    ('responsavel', 'uma\nlinha', false),
    ('responsavel', '', false),
    ('responsavel', none, false),
    ('responsavel', 'a' * 81, false),
    ('acordo', none, true),
    ('acordo', 'a' * 200, true),
    ('acordo', 'a' * 201, false),
    ('acordo_numero', 'ACT 12/2025', true),
    ('acordo_numero', "12' or 1=1", false),
    ('orgao_aprovador', none, true),
    ('territorio_populacao', none, true),
    ('territorio_populacao', 0, true),
    ('territorio_populacao', -1, false),
    ('contar_inativas_ate_alteracao', none, false),
    ('contar_inativas_ate_alteracao', false, true),
    ('contar_inativas_ate_alteracao', 'false', false),
    ('contar_inativas_ate_alteracao', 1, false),
    ('max_vagas_por_bloco', 1000000000, false),
] %}

with casos as (
    {% for name, value, expected in cases %}
    select
        {{ loop.index }} as caso,
        '{{ name }}' as variavel,
        {{ setting_fits(setting_rules()[name], value) | lower }} as aceita,
        {{ expected | lower }} as esperado
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
)

select * from casos
where aceita <> esperado
