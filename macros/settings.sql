{# The variables of dbt_project.yml. Each is checked where it reaches SQL and before anything runs, so
   that a slip is one line and not an error of the database, and no text of a variable is ever SQL. #}
{% macro setting_rules() -%}
    {{ return({
        'responsavel': {'form': 'name'},
        'acordo': {'form': 'name', 'most': 200, 'unknown': true},
        'acordo_numero': {'form': 'name', 'unknown': true},
        'orgao_aprovador': {'form': 'name', 'most': 200, 'unknown': true},
        'municipio_ibge6': {'form': 'ibge6'},
        'uf_sigla': {'form': 'state'},
        'uf_inteira': {'form': 'boolean'},
        'central_codigo': {'form': 'central'},
        'sisreg_sufixo': {'form': 'name'},
        'territorio_qtd_areas': {'form': 'integer', 'least': 0, 'most': 1000, 'unknown': true},
        'territorio_qtd_regioes': {'form': 'integer', 'least': 0, 'most': 1000, 'unknown': true},
        'territorio_populacao': {'form': 'integer', 'least': 0, 'most': 100000000, 'unknown': true},
        'data_referencia': {'form': 'day'},
        'conhecido_em': {'form': 'day'},
        'retirada_aviso_dias': {'form': 'integer', 'least': 0, 'most': 3650},
        'renovacao_dias': {'form': 'integer', 'least': 0, 'most': 3650},
        'horizonte_dias': {'form': 'integer', 'least': 0, 'most': 3650},
        'contar_inativas_ate_alteracao': {'form': 'boolean'},
        'max_vagas_por_bloco': {'form': 'integer', 'least': 1, 'most': 10000},
        'max_vagas_por_mes': {'form': 'integer', 'least': 1, 'most': 10000000},
        'feriados_calculados_bloqueiam': {'form': 'boolean'},
        'pontos_facultativos_bloqueiam': {'form': 'boolean'},
        'minimo_percentil': {'form': 'integer', 'least': 1, 'most': 1000000},
        'minimo_seguidos': {'form': 'integer', 'least': 1, 'most': 1000000},
        'minimo_profissionais': {'form': 'integer', 'least': 1, 'most': 1000},
        'minimo_celula': {'form': 'integer', 'least': 1, 'most': 1000},
        'dias_para_fechar': {'form': 'integer', 'least': 0, 'most': 365},
        'meses_divulgados': {'form': 'integer', 'least': 1, 'most': 120},
        'identidade_limiar': {'form': 'number', 'least': 0.5, 'most': 1},
        'dias_espera_maximo': {'form': 'integer', 'least': 1, 'most': 36525},
        'alerta_horizonte_dias': {'form': 'integer', 'least': 1, 'most': 3650},
        'alerta_vencimento_dias': {'form': 'integer', 'least': 0, 'most': 3650},
        'alerta_queda_desvios': {'form': 'number', 'least': 0, 'most': 100},
        'alerta_queda_minima_pct': {'form': 'number', 'least': 0, 'most': 100},
        'alerta_queda_sem_variacao_pct': {'form': 'number', 'least': 0, 'most': 100},
        'alerta_sem_marcacao_dias': {'form': 'integer', 'least': 1, 'most': 3650},
        'contrato_validade_meses': {'form': 'integer', 'least': 1, 'most': 120},
        'horas_acima_pct': {'form': 'number', 'least': 100, 'most': 1000},
        'horas_abaixo_pct': {'form': 'number', 'least': 0, 'most': 100},
        'proadi_regras_historicas': {'form': 'boolean'},
        'proadi_minimo_prazos': {'form': 'integer', 'least': 1, 'most': 1000000},
    }) }}
{%- endmacro %}


{% macro setting_expected(rule) -%}
    {%- if rule.form == 'day' -%} a day as AAAA-MM-DD from 1990 to 2100, or null
    {%- elif rule.form == 'ibge6' -%} a municipality as the 6 digits of IBGE, in quotation marks
    {%- elif rule.form == 'central' -%} a central as 6 digits or capital letters, in quotation marks
    {%- elif rule.form == 'state' -%} a state as its two capital letters, in quotation marks
    {%- elif rule.form == 'name' -%}
        a name of 1 to {{ rule.most or 80 }} letters, digits, blanks and signs .,-/()
        {%- if rule.unknown %}, or null{% endif -%}
    {%- elif rule.form == 'boolean' -%} true or false, without quotation marks
    {%- elif rule.form == 'integer' -%} a whole number from {{ rule.least }} to {{ rule.most }}
        {%- if rule.unknown %}, or null{% endif -%}
    {%- else -%} a number from {{ rule.least }} to {{ rule.most }}
    {%- endif -%}
{%- endmacro %}


{% macro setting_fits(rule, value) -%}
    {%- set fits = namespace(yes=false) -%}
    {%- if rule.form == 'day' -%}
        {#- YAML may have made a date of it. -#}
        {%- set text = value | string -%}
        {%- if value is none -%}
            {%- set fits.yes = true -%}
        {%- elif modules.re.fullmatch('(199[0-9]|20[0-9]{2}|2100)-(0[1-9]|1[0-2])-[0-3][0-9]', text) -%}
            {%- set first = modules.datetime.date(text[:4] | int, text[5:7] | int, 1) -%}
            {%- set day = first + modules.datetime.timedelta(days=(text[8:] | int) - 1) -%}
            {%- set fits.yes = day.isoformat() == text -%}
        {%- endif -%}
    {%- elif rule.form == 'ibge6' -%}
        {%- set fits.yes = value is string and modules.re.fullmatch('[0-9]{6}', value) is not none -%}
    {%- elif rule.form == 'central' -%}
        {%- set fits.yes = value is string
            and modules.re.fullmatch('[0-9A-Z]{6}', value) is not none -%}
    {%- elif rule.form == 'state' -%}
        {%- set fits.yes = value is string and modules.re.fullmatch('[A-Z]{2}', value) is not none -%}
    {%- elif value is none -%}
        {%- set fits.yes = rule.unknown is true -%}
    {%- elif rule.form == 'name' -%}
        {%- set fits.yes = value is string and value | length <= (rule.most or 80)
            and modules.re.fullmatch('[\\w .,/()-]+', value) is not none -%}
    {%- elif rule.form == 'boolean' -%}
        {%- set fits.yes = value is boolean -%}
    {%- elif value is number and value is not boolean -%}
        {%- set fits.yes = (value is integer or rule.form == 'number')
            and rule.least <= value and value <= rule.most -%}
    {%- endif -%}
    {{ return(fits.yes) }}
{%- endmacro %}


{# The only way to a variable. While dbt only parses, nothing is said yet: what runs first says it. #}
{% macro setting(name) -%}
    {%- set rule, value = setting_rules().get(name), var(name) -%}
    {%- if rule is none -%}
        {{ exceptions.raise_compiler_error("Variable `" ~ name ~ "` has no rule in macros/settings.sql.") }}
    {%- elif execute and not setting_fits(rule, value) -%}
        {{ exceptions.raise_compiler_error(
            "Variable `" ~ name ~ "` cannot be used: expected is " ~ setting_expected(rule) | trim
            ~ ". Correct it in --vars or in dbt_project.yml."
        ) }}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}


{# Before anything runs: every variable, and names that no model reads. #}
{% macro check_settings() -%}
    {%- if execute -%}
        {%- for name in setting_rules() -%}
            {%- do setting(name) -%}
        {%- endfor -%}
        {%- for name in (invocation_args_dict.get('vars') or {}) if name not in setting_rules() -%}
            {{ exceptions.raise_compiler_error(
                "There is no variable of the name given in --vars. Expected are "
                ~ setting_rules().keys() | join(', ') ~ "."
            ) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
