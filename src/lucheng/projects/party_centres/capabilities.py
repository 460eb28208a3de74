"""What this room adds to the list of what a role may allow."""

from django.utils.translation import pgettext_lazy

CAPABILITIES = {
    "party_centres.edit": pgettext_lazy("capability", "keep the register of party-service centres")
}
