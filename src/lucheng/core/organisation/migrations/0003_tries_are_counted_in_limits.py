from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("organisation", "0002_signing_in_tries")]

    operations = [migrations.DeleteModel(name="SignInTry")]
