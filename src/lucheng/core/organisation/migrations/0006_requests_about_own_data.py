from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def give(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Whoever audits the use of personal data answers people who ask about theirs, until a city says otherwise."""
    for role in apps.get_model("organisation", "Role").objects.filter(
        capabilities__contains=["privacy.audit"]
    ):
        if "privacy.requests" not in role.capabilities:
            role.capabilities = [*role.capabilities, "privacy.requests"]
            role.save(update_fields=["capabilities"])


class Migration(migrations.Migration):
    dependencies = [("organisation", "0005_second_factor")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
