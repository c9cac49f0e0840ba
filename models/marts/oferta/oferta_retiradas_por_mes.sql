-- Grain: month, executing unit. Slots known so many days ahead and gone on their date, by the cause
-- of the loss (regra_retiradas). Indicator 16.
with {{ withdrawals(
    'vagas',
    [
        'fim_da_escala',
        'mudanca_da_escala',
        'feriado',
        'afastamento_unidade',
        'afastamento_profissional',
    ],
    share='retiradas'
) }}

select * from final
