"""What must hold before an act: each guard says what is lacking, in both languages, or None."""

from grid.model import Case, Inputs, Setting
from layers.catalogue import Text


def has_reason(_case: Case, given: Inputs, _setting: Setting) -> Text | None:
    """A reason must be given."""
    if given.reason and given.reason.strip():
        return None
    return Text("请说明理由（reason）", "give a reason (input 'reason')")


def has_evidence(_case: Case, given: Inputs, _setting: Setting) -> Text | None:
    """A photo must show it, or words must say what was done."""
    if given.evidence or (given.reason and given.reason.strip()):
        return None
    return Text("请附照片或说明", "attach a photo, or say in 'reason' what was done")


def says_found(_case: Case, given: Inputs, _setting: Setting) -> Text | None:
    """The field check must say what it found."""
    if given.found is not None:
        return None
    return Text("请说明是否属实（found）", "say whether it was found so (input 'found')")


def says_consistent(_case: Case, given: Inputs, _setting: Setting) -> Text | None:
    """The check must say whether the problem is gone."""
    if given.consistent is not None:
        return None
    return Text("请说明核查是否一致（consistent）", "say whether it is done as fed back (input 'consistent')")


def needs_no_verification(case: Case, _given: Inputs, setting: Setting) -> Text | None:
    """Reports of the public and the media are checked in the field first (domain facts §1)."""
    if case.channel not in setting.options.reports.needs_verification:
        return None
    return Text(
        "公众和媒体的举报须先核实（verify）", "a report by this channel is verified in the field first ('verify')"
    )


def was_found(case: Case, _given: Inputs, _setting: Setting) -> Text | None:
    """The field check found it so."""
    return None if case.found else Text("核实不属实，只能不予立案或作废", "it was not found so: decline it, or void it")


def was_not_found(case: Case, _given: Inputs, _setting: Setting) -> Text | None:
    """The field check did not find it so."""
    return Text("核实属实，应予受理", "it was found so: accept it") if case.found else None


def was_consistent(case: Case, _given: Inputs, _setting: Setting) -> Text | None:
    """The check found it done."""
    return None if case.consistent else Text("核查不一致，只能返工", "the check found it not done: it is reworked")


def was_inconsistent(case: Case, _given: Inputs, _setting: Setting) -> Text | None:
    """The check found it not done."""
    return Text("核查一致，应予结案", "the check found it done: it is closed") if case.consistent else None


def is_own_patrol(case: Case, _given: Inputs, _setting: Setting) -> Text | None:
    """Only what a worker found on patrol is handled on the spot."""
    if case.channel == "patrol":
        return None
    return Text("只有巡查发现的问题可自行处置", "only what was found on patrol is handled on the spot")


def has_class(case: Case, _given: Inputs, _setting: Setting) -> Text | None:
    """A case is filed under a class."""
    return None if case.class_code else Text("请先确定类别", "give the case a class first (PATCH the item)")


def has_known_condition(_case: Case, given: Inputs, setting: Setting) -> Text | None:
    """The condition for filing is one of the class; where the class has several, it is named."""
    known = list(dict.fromkeys(limit.condition for limit in setting.limits))
    if given.condition is not None and given.condition not in known:
        zh, en = "、".join(known) or "无", ", ".join(known) or "none"
        return Text(f"没有此立案条件；可选：{zh}", f"there is no condition {given.condition[:60]!r}; known: {en}")
    if given.condition is None and len(known) > 1:
        return Text(f"请选立案条件：{'、'.join(known)}", f"name the condition (input 'condition'): {', '.join(known)}")
    return None


def has_department(_case: Case, given: Inputs, setting: Setting) -> Text | None:
    """A case is dispatched to a department that exists."""
    if not given.department:
        return Text("请指定部门（department）", "name the department (input 'department')")
    if setting.departments is not None and given.department not in setting.departments:
        return Text(f"没有部门 {given.department[:60]}", f"there is no department {given.department[:60]!r}")
    return None


def has_amount(_case: Case, given: Inputs, _setting: Setting) -> Text | None:
    """An extension has a length."""
    if given.amount is not None and 0 < given.amount <= 1000:
        return None
    return Text("请给出延期时长（amount）", "say by how much (input 'amount', in the unit of the limit, up to 1000)")


def none_asked(case: Case, _given: Inputs, _setting: Setting) -> Text | None:
    """Only one extension is asked for at a time."""
    return None if case.asked_extension is None else Text("已有延期申请待批", "an extension is asked for already")


def one_asked(case: Case, _given: Inputs, _setting: Setting) -> Text | None:
    """Somebody asked for an extension."""
    return Text("没有待批的延期申请", "no extension is asked for") if case.asked_extension is None else None


def has_form_if_needed(case: Case, given: Inputs, _setting: Setting) -> Text | None:
    """A second extension, or engineering work, needs a signed form (domain facts §1)."""
    if given.evidence or (case.extensions == 0 and not given.engineering):
        return None
    return Text(
        "第二次延期或工程类延期须附签字表", "a second extension, or engineering work, needs the signed form attached"
    )
