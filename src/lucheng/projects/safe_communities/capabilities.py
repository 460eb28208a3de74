"""What this room adds to the list of what a role may allow."""

from django.utils.translation import pgettext_lazy

CAPABILITIES = {
    "safe_communities.state": pgettext_lazy(
        "capability", "state for a committee what it has found in its place"
    ),
    "safe_communities.edit": pgettext_lazy(
        "capability", "review committees' statements; keep criteria, priorities, tasks and campaigns"
    ),
}
