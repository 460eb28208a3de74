"""What this room adds to the list of what a role may allow."""

from django.utils.translation import pgettext_lazy

CAPABILITIES = {
    "building_chiefs.edit": pgettext_lazy("capability", "keep the register of building-chief officers"),
    "building_chiefs.visit": pgettext_lazy("capability", "enter the visits of building-chief officers"),
}
