"""Case ids are handed out in blocks, so that a create knows its id before its one round trip (see intake.Numbers)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_initial")]
    operations = [
        migrations.RunSQL("create sequence case_block start 64 increment 64", "drop sequence case_block"),
    ]
