"""Who may use which page and endpoint, kept by hand and apart from the policies the views declare.

A letter is a role: a(gent), n (annotator), r(eviewer), l(ead), e(ngineer), v(iewer).
"""

from __future__ import annotations

from projects.models import Role

LETTERS = {
    "a": Role.AGENT,
    "n": Role.ANNOTATOR,
    "r": Role.REVIEWER,
    "l": Role.LEAD,
    "e": Role.ENGINEER,
    "v": Role.VIEWER,
}

# Name of the route, the methods it answers, the roles that may use it.
PAGES = """
retraining:project-home             GET       anrlev
retraining:batch-list               GET       rle
retraining:batch-propose            POST      l
retraining:batch-show               GET       rle
retraining:batch-approve            POST      l
retraining:batch-reject             POST      l
retraining:batch-refresh            POST      l
retraining:batch-send_back          POST      l
retraining:batch-start              POST      l
retraining:batch-evaluate           POST      l
retraining:batch-promote            POST      l
retraining:batch-keep               POST      l
retraining:training-show            GET       rle
retraining:training-cancel          POST      l
retraining:gates-show               GET       rle
retraining:gate-waive               POST      l
retraining:case-review              POST      r
retraining:case-pin                 POST      l
retraining:model-list               GET       le
retraining:version-roll_back        POST      l
retraining:version-file             GET       le
retraining:version-deploy_first     POST      le
retraining:coverage-show            GET       rle
retraining:quota-save               POST      l
retraining:proposal-accept          POST      l
retraining:proposal-decline         POST      l
retraining:trigger-list             GET       le
retraining:trigger-create           POST      l
retraining:trigger-switch           POST      l
retraining:trigger-delete           POST      l
retraining:project-edit             GET       e
retraining:project-change           POST      e
retraining:project-change_from_file POST      e
retraining:project-file             GET       e
retraining:import-undo              POST      e
retraining:operations-show          GET       e
retraining:job-retry                POST      e
monitoring:monitor-show             GET       rle
monitoring:plan-change              POST      l
monitoring:report-show              GET       lv
labeling:work-start                 GET       n
labeling:queue-work                 GET       n
labeling:lease-show                 GET       n
labeling:lease-answer               POST      n
labeling:lease-skip                 POST      n
labeling:lease-keep                 POST      n
labeling:annotation-undo            POST      n
labeling:annotation-mine            GET       n
labeling:item-next_disputed         GET       r
labeling:item-adjudicate            GET,POST  r
labeling:item-requeue               POST      r
labeling:import-list                GET       e
labeling:import-create              POST      e
labeling:import-map                 POST      e
labeling:import-progress            GET       e
feedback:prediction-find            GET       arle
feedback:prediction-show            GET       arle
feedback:prediction-flag            POST      a
feedback:prediction-me_too          POST      a
feedback:flag-create                POST      a
feedback:flag-several               POST      a
feedback:flag-mine                  GET       a
feedback:flag-withdraw              POST      a
feedback:flag-reopen                POST      a
feedback:issue-list                 GET       arlv
feedback:issue-show                 GET       arlv
feedback:issue-merge                POST      rl
feedback:issue-decline              POST      rl
feedback:issue-rename               POST      rl
projects:key-list                   GET       e
projects:key-create                 POST      e
projects:key-revoke                 POST      e
projects:member-list                GET       le
projects:member-add                 POST      e
projects:member-change              POST      e
projects:member-own                 POST      e
projects:member-link                POST      e
projects:member-remove              POST      e
projects:file-show                  GET       anrlev
"""

# Name of the endpoint, the method, the roles that may use it, the scopes of keys that may.
API = """
prediction-list        GET   arle    read
prediction-list        POST  e       ingest
prediction-detail      GET   arle    read
flag-list              GET   arle    read
flag-list              POST  a       flag
issue-list             GET   arle    read
issue-merge            POST  rl      decide
issue-rename           POST  rl      decide
issue-decline          POST  rl      decide
file-list              POST  e       ingest
file-detail            GET   anrlev  read,label,decide
item-export            GET   rle     read
ground_truth-export    GET   rle     read
queue-list             GET   n       label
queue-take             POST  n       label
lease-answer           POST  n       label
lease-skip             POST  n       label
lease-renew            POST  n       label
annotation-undo        POST  n       label
disputed_item-list     GET   r       decide
disputed_item-detail   GET   r       decide
disputed_item-settle   POST  r       decide
disputed_item-send_back POST r       decide
class_proposal-list    GET   rle     read,decide
class_proposal-accept  POST  l       decide
class_proposal-decline POST  l       decide
batch-list             GET   rlev    read
batch-propose          POST  l       -
batch-detail           GET   rlev    read
batch-gates            GET   rlev    read
batch-approve          POST  l       -
batch-reject           POST  l       -
batch-cancel           POST  l       -
batch-retry            POST  l       -
batch-refresh          POST  l       -
batch-promote          POST  l       -
batch-do_not_promote   POST  l       -
gate-waive             POST  l       -
broken_case-list       GET   rle     read
broken_case-review     POST  r       -
case-pin               POST  l       -
roll-back              POST  l       -
deployment-list        GET   rlev    read
receipt-list           GET   arlev   read
receipt-still_wrong    POST  a       -
"""
PUBLIC_API = {"api-schema", "api-docs"}

# Every signed-in person; what they see is theirs alone.
SIGNED_IN = {
    "retraining:home-show",
    "retraining:demo-act_as",
    "retraining:demo-reset",
    "retraining:demo-rebuild",
    "retraining:tour-show",
    "retraining:tour-hide",
    "retraining:project-create",
    "retraining:project-create_from_file",
}
# Everybody, also without an account.
PUBLIC = {"healthz", "readyz"}
PUBLIC_PREFIX = "account_"


def pages() -> list[tuple[str, list[str], frozenset[Role]]]:
    rows = (line.split() for line in PAGES.strip().splitlines())
    return [
        (name, methods.split(","), frozenset(LETTERS[letter] for letter in letters))
        for name, methods, letters in rows
    ]


def endpoints() -> list[tuple[str, str, frozenset[Role], frozenset[str]]]:
    rows = (line.split() for line in API.strip().splitlines())
    return [
        (
            name,
            method,
            frozenset(LETTERS[letter] for letter in letters),
            frozenset(scopes.split(",")) - {"-"},
        )
        for name, method, letters, scopes in rows
    ]
