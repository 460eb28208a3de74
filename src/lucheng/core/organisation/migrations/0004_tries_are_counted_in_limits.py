from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("organisation", "0003_first_passwords")]

    operations = [migrations.DeleteModel(name="SignInTry")]
