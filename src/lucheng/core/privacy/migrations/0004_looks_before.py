"""What the ledger and the posts say of looks from before they were kept with unit, role and fields: name and number
were opened together. Where no post of that day has the role any more, the unit stays open."""

from django.db import migrations

_OF_THE_CASE = """
update privacy_reveal r
set number = c.number,
    fields = array_remove(array[case when k.name is not null then 'name' end,
        case when k.phone is not null then 'phone' end], null)
from privacy_contact k join cases_case c on c.id = k.case_id
where k.id = r.contact_id
"""
_OF_THE_LEDGER = """
update privacy_reveal r
set role = e.actor_role,
    unit_id = (
        select p.unit_id from organisation_post p
        where p.person_id = r.person_id and p.role_id = e.actor_role and p.valid_from <= r.at::date
            and (p.valid_to is null or p.valid_to > r.at::date)
        order by p.id limit 1)
from privacy_contact k join ledger_event e on e.case_id = k.case_id and e.action = 'contact_revealed'
where k.id = r.contact_id and e.actor_id = r.person_id and e.at = r.at
"""


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0003_address_and_looks"),
        ("cases", "0001_initial"),
        ("ledger", "0001_initial"),
        ("organisation", "0001_initial"),
    ]

    operations = [migrations.RunSQL([_OF_THE_CASE, _OF_THE_LEDGER], migrations.RunSQL.noop)]
