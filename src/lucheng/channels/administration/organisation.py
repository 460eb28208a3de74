"""Pages of the organisation: roles, units, people and their posts."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import asked, did, opens_for, paged, person, refused
from lucheng.channels.administration.forms import PersonForm, PostForm, RoleForm
from lucheng.core.errors import Forbidden, Invalid, NotFound
from lucheng.core.organisation import people as staff
from lucheng.core.organisation import roles as catalogue
from lucheng.core.organisation.capabilities import CAPABILITIES
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person, Post, Role, Unit

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
    return render(request, "administration/roles.html", {"rows": rows})


@opens_for(EDIT, everywhere=True)
@require_http_methods(["GET", "HEAD", "POST"])
def role(request: HttpRequest, code: str) -> HttpResponse:
    """What one role is called and allows."""
    found = Role.objects.filter(code=code).first()
    if found is None:
        raise NotFound(_("There is no such role."))
    if request.method == "POST":
        form = RoleForm(request.POST)
        if form.is_valid():
            entered = form.cleaned_data
            try:
                catalogue.edit(
                    code,
                    name=entered["name"],
                    name_en=entered["name_en"],
                    reach=entered["reach"],
                    held=entered["capabilities"],
                )
            except Invalid as wrong:
                refused(form, wrong)
            else:
                did(request, "changed role %s to %s %s", code, entered["reach"], entered["capabilities"])
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
    return render(
        request, "administration/role.html", {"form": form, "role": found}, status=422 if form.errors else 200
    )


@opens_for(EDIT)
@require_safe
def units(request: HttpRequest) -> HttpResponse:
    """The tree of units, one level at a time, or those that a search finds anywhere."""
    text = asked(request, "q")
    rows = Unit.objects.annotate(below=Count("children")).select_related("parent").order_by("code")
    line: list[Unit] = []
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(code__icontains=text))
    elif under := asked(request, "under"):
        at = Unit.objects.select_related("parent__parent__parent__parent").filter(code=under).first()
        if at is None:
            raise NotFound(_("There is no such unit."))
        rows = rows.filter(parent=at)
        while at is not None and len(line) < 5:
            line.insert(0, at)
            at = at.parent
    else:
        rows = rows.filter(parent=None)
    return render(request, "administration/units.html", {**paged(request, rows), "text": text, "line": line})


@opens_for(EDIT)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Members of staff with the posts they hold today, found by name, user name, unit or role."""
    text = asked(request, "q")
    held = (
        Post.objects.filter(Post.in_force(timezone.localdate())).select_related("role", "unit").order_by("id")
    )
    rows = Person.objects.order_by("username").prefetch_related(Prefetch("posts", held, to_attr="held"))
    if text:
        posts = held.filter(Q(unit__name__icontains=text) | Q(role__name=text) | Q(role__code=text))
        rows = rows.filter(
            Q(name__icontains=text)
            | Q(username__icontains=text)
            | Q(pk__in=posts.order_by().values("person"))
        )
    return render(request, "administration/people.html", {**paged(request, rows), "text": text})


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def add_person(request: HttpRequest) -> HttpResponse:
    """A new member of staff; they see nothing until they hold a post."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        entered = form.cleaned_data
        try:
            added = staff.add_person(entered["username"], entered["name"], entered["password"])
        except Invalid as wrong:
            refused(form, wrong)
        else:
            did(request, "added %s", added.username)
            messages.success(request, _("%(name)s has been added. Give them a post.") % {"name": added.name})
            return HttpResponseRedirect(reverse("person", args=[added.pk]))
    return render(
        request, "administration/add_person.html", {"form": form}, status=422 if form.errors else 200
    )


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
                post = staff.add_post(
                    found,
                    entered["role"],
                    entered["place"],
                    entered["unit"],
                    entered["since"],
                    until=entered["until"],
                    basis=entered["basis"],
                    by=person(request),
                )
            except Invalid as wrong:
                refused(form, wrong)
            else:
                did(request, "gave %s the post %s at %s", found.username, post.role_id, post.place)
                messages.success(request, _("The post has been given."))
                return HttpResponseRedirect(reverse("person", args=[pk]))
    else:
        form = PostForm(initial={"since": today})
    context = {
        "member": found,
        "posts": found.posts.select_related("role", "unit").order_by("-valid_from", "-id"),
        "today": today,
        "form": form,
    }
    return render(request, "administration/person.html", context, status=422 if form.errors else 200)


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
    did(request, "ended the post %s of %s at %s", found.role_id, found.person.username, found.place)
    messages.success(request, _("The post has ended."))
    return HttpResponseRedirect(reverse("person", args=[pk]))


@opens_for(EDIT, everywhere=True)
@require_POST
def lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody sign in no longer, or again."""
    found = _member(pk)
    staff.set_active(found, not found.is_active, by=person(request))
    did(request, "%s %s", "locked" if found.is_active else "unlocked", found.username)
    messages.success(
        request, _("They can no longer sign in.") if found.is_active else _("They can sign in again.")
    )
    return HttpResponseRedirect(reverse("person", args=[pk]))
