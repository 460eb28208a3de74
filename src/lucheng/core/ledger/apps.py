from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "lucheng.core.ledger"
    label = "ledger"
