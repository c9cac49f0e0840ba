-- Grain: month, executing unit. Scheduled slots known so many days ahead and gone on their date, by
-- the cause of the loss; no number hangs on a leave (regra_divulgacao_do_diario). Indicator 16.
with {{ withdrawals(
    'programadas',
    ['fim_da_escala', 'mudanca_da_escala', 'feriado'],
    share='programadas_retiradas'
) }}

select * from final
