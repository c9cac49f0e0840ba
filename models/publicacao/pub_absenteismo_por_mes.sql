-- Grain: month of the appointment, executing unit, procedure booked (regra_divulgacao_pessoas).
-- Small counts are hidden when it is published. Indicators 47 and 48.
with {{ disclosed_absence(by_unit=true) }}

select * from final
