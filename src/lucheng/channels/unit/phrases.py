"""The unit's own reply templates: written, changed and retired by its people; those of the pack beside them."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from lucheng.core.dispatch import matters
from lucheng.core.errors import Forbidden, Invalid, NotFound, Refused
from lucheng.core.organisation import people
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person, Unit
from lucheng.core.triage import templates
from lucheng.core.triage.models import ReplyTemplate
from lucheng.web import numbers


class PhraseForm(forms.Form):
    """One template."""

    name = forms.CharField(label=gettext_lazy("Name of the template"), max_length=40)
    matter = forms.ChoiceField(label=gettext_lazy("For which matter"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Text"), widget=forms.Textarea(attrs={"rows": 8}), max_length=templates.LONGEST
    )
    unit = forms.ChoiceField(label=gettext_lazy("Unit"))
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, units: list[Unit], data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        known = matters.known()
        choices = [("", _("any"))]
        choices += [(c, f"{'　' * (len(c) // 2 - 1)}{matters.name(c)}") for c in sorted(known)]
        for name, field in (("matter", choices), ("unit", [(u.pk, u.name) for u in units])):
            self.fields[name].choices = field  # type: ignore[attr-defined]
        self.fields["text"].help_text = _(
            "{number} {place} {matter} {unit} {unit_phone} are filled in from the order; "
            "put what the writer fills in between 【 and 】."
        )
        if len(units) == 1:
            self.fields["unit"].widget = forms.HiddenInput()
            self.fields["unit"].initial = units[0].pk


def _units(request: HttpRequest) -> list[Unit]:
    reader = scope(request)
    if not reader.can("case.handle"):
        raise Forbidden(_("None of your posts handles orders of a unit."))
    return people.units_of(reader.person_id, "case.handle", timezone.localdate())


def _save(request: HttpRequest, template: ReplyTemplate | None, units: list[Unit]) -> PhraseForm | None:
    """Save what was sent; the form with its errors where that was refused."""
    form = PhraseForm(units, request.POST)
    try:
        templates.save(
            template,
            unit=numbers.whole(request.POST.get("unit")),
            name=request.POST.get("name", ""),
            matter=request.POST.get("matter", ""),
            text=request.POST.get("text", ""),
            units={u.pk for u in units},
            person=cast(Person, request.user),
            version=numbers.whole(request.POST.get("version")),
            now=timezone.now(),
        )
    except Invalid as e:
        form.full_clean()
        for name, text in e.fields.items():
            form.errors.pop(name, None)
            form.add_error(name if name in form.fields else None, str(text))
        return form
    except (NotFound, Forbidden):
        raise
    except Refused as e:
        form.full_clean()
        form.add_error(None, str(e.detail))
        return form
    messages.success(request, _("The template has been saved."))
    return None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def phrases(request: HttpRequest) -> HttpResponse:
    """All templates in use here, and a form for a new one."""
    units = _units(request)
    form: PhraseForm | None = PhraseForm(units)
    if request.method == "POST":
        form = _save(request, None, units)
        if form is None:
            return HttpResponseRedirect(reverse("reply-templates"))
    elif start_id := numbers.whole(request.GET.get("from")):
        start = templates.of_units([u.pk for u in units]).filter(pk=start_id).first()
        if start is not None:
            form = PhraseForm(
                units, initial={"name": start.name, "matter": start.matter, "text": start.text, "version": 0}
            )
    found = list(templates.of_units([u.pk for u in units]))
    context = {
        "form": form,
        "own": [t for t in found if t.unit_id is not None],
        "common": [t for t in found if t.unit_id is None],
        "several": len(units) > 1,
        "begun": form is not None and (form.is_bound or bool(form.initial)),
    }
    return render(request, "unit/templates.html", context, status=422 if form and form.is_bound else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def phrase(request: HttpRequest, pk: int) -> HttpResponse:
    """One of the unit's own: change it or take it out of use."""
    units = _units(request)
    template = ReplyTemplate.objects.filter(pk=pk, unit__in=[u.pk for u in units], retired_at=None).first()
    if template is None:
        raise NotFound(_("There is no such template any more."))
    said = {f: getattr(template, f) for f in ("name", "matter", "text", "version")}
    form: PhraseForm | None = PhraseForm(units, initial={**said, "unit": template.unit_id})
    if request.method == "POST" and request.POST.get("do") == "retire":
        try:
            templates.retire(
                template,
                units={u.pk for u in units},
                person=cast(Person, request.user),
                version=numbers.whole(request.POST.get("version")),
                now=timezone.now(),
            )
        except Refused as e:
            messages.error(request, str(e.detail))
            return HttpResponseRedirect(reverse("reply-template", args=[pk]))
        messages.success(request, _("The template is out of use."))
        return HttpResponseRedirect(reverse("reply-templates"))
    if request.method == "POST":
        form = _save(request, template, units)
        if form is None:
            return HttpResponseRedirect(reverse("reply-templates"))
    return render(
        request,
        "unit/template.html",
        {"form": form, "template": template},
        status=422 if form is not None and form.is_bound else 200,
    )
