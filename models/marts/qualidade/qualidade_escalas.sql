-- Grain: fate, status. Every raw schedule row is counted once, by the last stretch of its version.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

final as (
    select
        -- categorias
        e.escala_destino as motivo,
        coalesce(e.escala_situacao, 'nao_informada') as situacao,
        -- quantidades
        count(*) as qtd_linhas,
        cast(
            sum(
                case
                    when
                        e.qtd_vagas_primeira_vez is null
                        or e.qtd_vagas_retorno is null
                        or e.qtd_vagas_reserva is null
                        then 1
                    else 0
                end
            ) as bigint
        ) as qtd_linhas_sem_quantidade
    from escalas as e
    where e.eh_ultimo_trecho
    group by
        e.escala_destino,
        coalesce(e.escala_situacao, 'nao_informada')
)

select * from final
