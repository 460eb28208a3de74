"""Pages of the organisation: roles, units, people and their posts."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import (
    asked,
    opens_for,
    page,
    paged,
    person,
    refused,
)
from lucheng.channels.administration.forms import (
    CloseUnitForm,
    NewUnitForm,
    PersonForm,
    PostForm,
    RoleForm,
    UnitForm,
)
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.fields import within
from lucheng.core.labels import code_in
from lucheng.core.organisation import factors
from lucheng.core.organisation import people as staff
from lucheng.core.organisation import roles as catalogue
from lucheng.core.organisation import units as register
from lucheng.core.organisation.capabilities import CAPABILITIES, SEPARATED
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person, Post, Role, Unit
from lucheng.core.places.models import Division
from lucheng.core.places.names import root

EDIT = "organisation.edit"


@opens_for(EDIT)
@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """The role catalogue with what each role allows, and how many hold it."""
    today = Post.in_force(timezone.localdate())
    held = dict(Post.objects.filter(today).values_list("role").annotate(Count("id")))
    rows = [
        (role, [CAPABILITIES.get(c, c) for c in role.capabilities], held.get(role.code, 0))
        for role in Role.objects.order_by("code")
    ]
    return page(request, "roles", {"rows": rows})


@opens_for(EDIT, everywhere=True)
@require_http_methods(["GET", "HEAD", "POST"])
def role(request: HttpRequest, code: str) -> HttpResponse:
    """What one role is called and allows."""
    found = Role.objects.filter(code=code).first()
    if found is None:
        raise NotFound(_("There is no such role."))
    status = 200
    if request.method == "POST":
        form = RoleForm(request.POST)
        status = 422
        if form.is_valid():
            entered = form.cleaned_data
            try:
                catalogue.edit(
                    code,
                    name=entered["name"],
                    name_en=entered["name_en"],
                    reach=entered["reach"],
                    held=entered["capabilities"],
                    seen=request.GET.get("seen", ""),
                )
            except Invalid as wrong:
                refused(form, wrong)
            except Conflict as late:
                form.add_error(None, str(late.detail))
                status = 409
            else:
                messages.success(request, _("The role has been changed; its posts follow at once."))
                return HttpResponseRedirect(reverse("roles"))
    else:
        form = RoleForm(
            initial={
                "name": found.name,
                "name_en": found.name_en,
                "reach": found.reach,
                "capabilities": found.capabilities,
            }
        )
    context = {
        "form": form,
        "role": found,
        "seen": catalogue.stamp(found),
        "allows": [CAPABILITIES.get(c, c) for c in found.capabilities],
        "held": Post.objects.filter(Post.in_force(timezone.localdate()), role=found).count(),
        "separated": [CAPABILITIES[c] for c in SEPARATED],
    }
    return page(request, "role", context, status=status)


@opens_for(EDIT)
@require_safe
def units(request: HttpRequest) -> HttpResponse:
    """The tree of units, one level at a time, or those that a search finds anywhere."""
    text = code_in(asked(request, "q"))
    rows = Unit.objects.annotate(below=Count("children")).select_related("parent").order_by("code")
    line: list[Unit] = []
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(code__icontains=text))
    elif under := asked(request, "under"):
        at = Unit.objects.filter(code=under).first()
        if at is None:
            raise NotFound(_("There is no such unit."))
        rows = rows.filter(parent=at)
        line = _line(at)
    else:
        tops = list(Unit.objects.filter(parent=None)[:2])
        # A tree with one root begins below it: a list of one row would say nothing.
        line = tops if len(tops) == 1 else []
        rows = rows.filter(parent=line[0] if line else None)
    if not text and request.GET.get("closed") != "1":
        rows = rows.filter(active=True)
    return page(
        request,
        "units",
        {**paged(request, rows), "text": text, "line": line, "closed": request.GET.get("closed") == "1"},
    )


def _line(unit: Unit) -> list[Unit]:
    """The unit and those above it, from the top; five at most, in one query."""
    at: Unit | None = Unit.objects.select_related("parent__parent__parent__parent").filter(pk=unit.pk).first()
    line: list[Unit] = []
    while at is not None and len(line) < 5:
        line.insert(0, at)
        at = at.parent if at.parent_id is not None and len(line) < 5 else None
    return line


def _entered(request: HttpRequest, form: UnitForm) -> register.Entered:
    """What a valid form says of a unit. Raises Invalid where the reader's posts do not reach its place."""
    said = form.cleaned_data
    if not scope(request).covers(EDIT, said["place"]):
        raise Invalid({"place": _("Your own posts do not reach there.")})
    return register.Entered(
        said["name"], said["kind"], said["place"], said["parent"], said["domains"], said["phone"]
    )


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def add_unit(request: HttpRequest) -> HttpResponse:
    """A new unit, under the one that ``under`` names."""
    above = Unit.objects.filter(code=asked(request, "under")).first()
    if request.method == "POST":
        form = NewUnitForm(request.POST)
        if form.is_valid():
            try:
                added = register.add_unit(form.cleaned_data["code"], _entered(request, form))
            except Invalid as wrong:
                refused(form, wrong)
            else:
                messages.success(request, _("%(name)s has been added.") % {"name": added.name})
                return HttpResponseRedirect(reverse("unit-record", args=[added.pk]))
    else:
        form = NewUnitForm(
            initial={"parent": above, "place": above.place if above is not None else "", "kind": "department"}
        )
    return page(request, "add_unit", {"form": form, "above": above}, status=422 if form.errors else 200)


def _unit(pk: int) -> Unit:
    found = Unit.objects.select_related("parent").filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such unit."))
    return found


#: People of a unit that its page names; the page of people finds all.
NAMED = 20


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def unit(request: HttpRequest, pk: int) -> HttpResponse:
    """One unit: what it is, who works in it, what hangs on it, and a form to change it."""
    found, today = _unit(pk), timezone.localdate()
    status = 200
    if request.method == "POST":
        _reach(request, found.place)
        form = UnitForm(request.POST)
        status = 422
        if form.is_valid():
            try:
                register.edit_unit(found, _entered(request, form), seen=request.GET.get("seen", ""))
            except Invalid as wrong:
                refused(form, wrong)
            except Conflict as late:
                form.add_error(None, str(late.detail))
                status = 409
            else:
                messages.success(request, _("The unit has been changed."))
                return HttpResponseRedirect(reverse("unit-record", args=[pk]))
    else:
        form = UnitForm(initial=UnitForm.of(found))
    posts = (
        Post.objects.filter(Post.in_force(today), unit=found)
        .select_related("role", "person")
        .order_by("person__username", "id")[: NAMED + 1]
    )
    members = list(posts)
    context = {
        "unit": found,
        "line": _line(found),
        "form": form,
        "seen": register.stamp(found),
        "conflict": status == 409,
        "ties": register.ties(found, today),
        "limit": register.COUNT_LIMIT,
        "members": members[:NAMED],
        "more_members": len(members) > NAMED,
        "sure": CloseUnitForm(auto_id="close_%s"),
        "may": scope(request).covers(EDIT, found.place),
    }
    return page(request, "unit", context, status=status)


def _reach(request: HttpRequest, place: str) -> None:
    if not scope(request).covers(EDIT, place):
        raise Forbidden(_("Your own posts do not reach there."))


@opens_for(EDIT)
@require_POST
def close_unit(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a unit, or let a closed one stand again."""
    found = _unit(pk)
    _reach(request, found.place)
    seen = request.POST.get("seen", "")
    if found.active:
        # Asked whatever hangs on it: to ask only where something does would tell a single order from none.
        if "sure" not in request.POST:
            raise Invalid({"sure": _("Say first that you have read what hangs on this unit.")})
        register.close_unit(found, seen=seen)
        messages.success(request, _("%(name)s is closed: no new order comes to it.") % {"name": found.name})
    else:
        register.reopen_unit(found, seen=seen)
        messages.success(request, _("%(name)s stands again.") % {"name": found.name})
    return HttpResponseRedirect(reverse("unit-record", args=[pk]))


@opens_for(EDIT)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Members of staff with the posts they hold today, found by name, user name, unit, role or place."""
    text = code_in(asked(request, "q"))
    held = (
        Post.objects.filter(Post.in_force(timezone.localdate())).select_related("role", "unit").order_by("id")
    )
    rows = Person.objects.order_by("username").prefetch_related(Prefetch("posts", held, to_attr="held"))
    if text:
        of = Q(unit__name__icontains=text) | Q(unit__code=text) | Q(role__name=text) | Q(role__code=text)
        if text.isdecimal():
            of |= within("place", text)
        else:
            places = Division.objects.filter(name=text, valid_to=None).order_by("code")
            for code in places.values_list("code", flat=True)[:20]:
                of |= within("place", code)
        posts = held.filter(of)
        rows = rows.filter(
            Q(name__icontains=text)
            | Q(username__icontains=text)
            | Q(pk__in=posts.order_by().values("person"))
        )
    if locked := request.GET.get("locked") == "1":
        rows = rows.filter(is_active=False)
    return page(request, "people", {**paged(request, rows), "text": text, "locked": locked})


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def add_person(request: HttpRequest) -> HttpResponse:
    """A new member of staff; they see nothing until they hold a post."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        entered = form.cleaned_data
        made = "" if entered["password"] else staff.made_password()
        try:
            added = staff.add_person(
                entered["username"], entered["name"], entered["password"] or made, by=person(request)
            )
        except Invalid as wrong:
            refused(form, wrong)
        else:
            if made:
                return _shown_once(request, added, made)
            messages.success(request, _("%(name)s has been added. Give them a post.") % {"name": added.name})
            return HttpResponseRedirect(reverse("person", args=[added.pk]))
    return page(request, "add_person", {"form": form}, status=422 if form.errors else 200)


def _shown_once(request: HttpRequest, member: Person, password: str) -> HttpResponse:
    """A password that was made, on a page that nothing keeps."""
    response = page(
        request,
        "password",
        {"member": member, "password": password, "days": settings.FIRST_PASSWORD_LASTS.days},
    )
    response["Cache-Control"] = "no-store"
    return response


def _member(pk: int) -> Person:
    found = Person.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such person."))
    return found


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def member(request: HttpRequest, pk: int) -> HttpResponse:
    """One member of staff: every post they hold, held and will hold, and a form for one more."""
    found, today = _member(pk), timezone.localdate()
    if request.method == "POST":
        form = PostForm(request.POST)
        if form.is_valid():
            entered = form.cleaned_data
            try:
                if not scope(request).covers(EDIT, entered["place"]):
                    raise Invalid({"place": _("Your own posts do not reach there.")})
                staff.add_post(
                    found,
                    entered["role"],
                    entered["place"],
                    entered["unit"],
                    entered["since"],
                    until=entered["until"],
                    basis=entered["basis"],
                    domains=entered["domains"],
                    by=person(request),
                )
            except Invalid as wrong:
                refused(form, wrong)
            else:
                messages.success(request, _("The post has been given."))
                return HttpResponseRedirect(reverse("person", args=[pk]))
    else:
        form = PostForm(initial={"since": today, "basis": Post.Basis.FULL})
    context = {
        "member": found,
        "posts": found.posts.select_related("role", "unit").order_by("-valid_from", "-id"),
        "today": today,
        "form": form,
        "first_password_until": found.password_given_at
        and found.password_given_at + settings.FIRST_PASSWORD_LASTS,
        "itself": found.pk == person(request).pk,
        "everywhere": scope(request).covers(EDIT, root()),
        "have": factors.held(found),
    }
    return page(request, "person", context, status=422 if form.errors else 200)


@opens_for(EDIT)
@require_POST
def end_post(request: HttpRequest, pk: int, post: int) -> HttpResponse:
    """End a post today."""
    found = Post.objects.select_related("person").filter(pk=post, person=pk).first()
    if found is None:
        raise NotFound(_("There is no such post."))
    if not scope(request).covers(EDIT, found.place):
        raise Forbidden(_("Your own posts do not reach there."))
    staff.end_post(found, timezone.localdate())
    messages.success(request, _("The post has ended."))
    return HttpResponseRedirect(reverse("person", args=[pk]))


@opens_for(EDIT, everywhere=True)
@require_POST
def lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody sign in no longer, or again."""
    found = _member(pk)
    staff.set_active(found, not found.is_active, by=person(request))
    messages.success(
        request, _("They can no longer sign in.") if found.is_active else _("They can sign in again.")
    )
    return HttpResponseRedirect(reverse("person", args=[pk]))


@opens_for(EDIT, everywhere=True)
@require_POST
def new_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody who has forgotten theirs a new first password: made here, and shown once."""
    found = _member(pk)
    password = staff.made_password()
    staff.set_password(found, password, by=person(request))
    return _shown_once(request, found, password)


@opens_for(EDIT, everywhere=True)
@require_POST
def reset_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the second factor of somebody away who has lost it: they sign in by password, and set a new one up."""
    found = _member(pk)
    factors.reset(found, by=person(request))
    messages.success(
        request, _("Their second factor has been taken away; they set up another when they sign in.")
    )
    return HttpResponseRedirect(reverse("person", args=[pk]))
