-- Grain: month of the appointment, procedure booked; all units together (regra_divulgacao_pessoas).
-- Small counts are hidden when it is published. Indicators 47 and 48.
with {{ disclosed_absence(by_unit=false) }}

select * from final
