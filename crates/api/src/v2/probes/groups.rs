//! The routes of what there is none of.

use actix_web::web;

use super::lists::{
    self, AnnotationsView, ChecksView, DashboardsView, DocumentsView, EndpointsView, NotebooksView,
    Nothing, PluginsView, RemotesView, ReplicationsView, RulesView, ScrapersView, StacksView,
    TasksView, TelegrafsView, VariablesView,
};
use super::{
    ANNOTATION, CHECK, DASHBOARD, ENDPOINT, NOTEBOOK, NewBody, REMOTE, REPLICATION, RULE, SCRAPER,
    STACK, STREAM, TASK, TELEGRAF, VARIABLE, change, create, create_stack, missing,
    of_no_dashboard, templates,
};
use crate::routes::operation::Verb::{self, Get, Post};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::v2::paging::PAGE;

const ORG_ID: (&str, &str) = ("orgID", "only those of the organization with this id");
const ORG: (&str, &str) = ("org", "only those of the organization with this name");
const SCOPE: &[(&str, &str)] = &[ORG_ID, ORG];
const PAGES: &[(&str, &str)] = &[
    ORG_ID,
    ORG,
    PAGE.limit,
    PAGE.offset,
    PAGE.after,
    PAGE.descending,
];
const TASK_PAGES: &[(&str, &str)] = &[
    ORG_ID,
    ORG,
    ("user", "only those of the user with this id"),
    ("limit", "at most so many, 1 to 500; 100 if not given"),
    PAGE.after,
];

/// A list, a way to make one that is not implemented, and single ones, of which there are none; nor
/// is there anything below them, at whatever paths it would be.
macro_rules! group {
    (
        $name:ident: $style:ident, $root:literal, $word:literal, $words:literal;
        $list:expr => $view:ty, $query:expr, $errors:expr;
        $create:expr;
        $kind:ident: $($verb:ident)*;
        $($below:literal $id:literal: $($method:ident)*;)*
    ) => {
        pub(crate) const $name: Group = Group {
            root: $root,
            style: Style::$style,
            operations: &[
                Operation::new(
                    (Get, $root),
                    || web::to($list),
                    (concat!("Get", $word), concat!("Lists ", $words, ": there are none")),
                    &[Answer::json::<$view>(200)],
                )
                .query($query)
                .errors($errors),
                Operation::new(
                    (Post, $root),
                    || web::to($create),
                    (concat!("Post", $word), concat!($words, " are not implemented")),
                    &[],
                )
                .takes::<NewBody>()
                .errors(&[404, 501]),
                $(Operation::new(
                    (Verb::$verb, concat!($root, "/{id}")),
                    || web::to(|r| missing(&$kind, r)),
                    (
                        concat!(stringify!($verb), $word, "ID"),
                        concat!($words, " are not implemented: there is no such thing"),
                    ),
                    &[],
                ),)*
                $($(Operation::new(
                    (Verb::$method, concat!($root, "/{id}/", $below)),
                    || web::to(|r| missing(&$kind, r)),
                    (
                        concat!(stringify!($method), $word, "ID", $id),
                        concat!($words, " are not implemented: there is no such thing"),
                    ),
                    &[],
                ),)*)*
            ],
        };
    };
}

group! {
    VARIABLES: Compact, "/api/v2/variables", "Variables", "variables";
    lists::variables => VariablesView, PAGES, &[400, 404];
    |c, s, b| create(&VARIABLE, c, s, b);
    VARIABLE: Get Patch Put Delete;
    "labels" "Labels": Get Post;
    "labels/{labelID}" "LabelsID": Delete;
}

group! {
    CHECKS: Compact, "/api/v2/checks", "Checks", "checks";
    lists::checks => ChecksView, PAGES, &[400, 404];
    |c, s, b| create(&CHECK, c, s, b);
    CHECK: Get Put Patch Delete;
    "query" "Query": Get;
    "members" "Members": Get Post;
    "members/{userID}" "MembersID": Delete;
    "owners" "Owners": Get Post;
    "owners/{userID}" "OwnersID": Delete;
    "labels" "Labels": Get Post;
    "labels/{labelID}" "LabelsID": Delete;
}

group! {
    RULES: Compact, "/api/v2/notificationRules", "NotificationRules", "notification rules";
    lists::rules => RulesView, PAGES, &[400, 404];
    |c, s, b| create(&RULE, c, s, b);
    RULE: Get Put Patch Delete;
    "query" "Query": Get;
    "members" "Members": Get Post;
    "members/{userID}" "MembersID": Delete;
    "owners" "Owners": Get Post;
    "owners/{userID}" "OwnersID": Delete;
    "labels" "Labels": Get Post;
    "labels/{labelID}" "LabelsID": Delete;
}

group! {
    ENDPOINTS: Compact, "/api/v2/notificationEndpoints", "NotificationEndpoints",
        "notification endpoints";
    lists::endpoints => EndpointsView, PAGES, &[400, 404];
    |c, s, b| create(&ENDPOINT, c, s, b);
    ENDPOINT: Get Put Patch Delete;
    "members" "Members": Get Post;
    "members/{userID}" "MembersID": Delete;
    "owners" "Owners": Get Post;
    "owners/{userID}" "OwnersID": Delete;
    "labels" "Labels": Get Post;
    "labels/{labelID}" "LabelsID": Delete;
}

group! {
    DASHBOARDS: Pretty, "/api/v2/dashboards", "Dashboards", "dashboards";
    lists::dashboards => DashboardsView, PAGES, &[400, 404];
    |c, s, b| create(&DASHBOARD, c, s, b);
    DASHBOARD: Get Patch Delete;
    "cells" "Cells": Put Post;
    "cells/{cellID}" "CellsID": Patch Delete;
    "cells/{cellID}/view" "CellsIDView": Get Patch;
}

group! {
    TASKS: Compact, "/api/v2/tasks", "Tasks", "tasks";
    lists::tasks => TasksView, TASK_PAGES, &[400];
    |c, s, b| create(&TASK, c, s, b);
    TASK: Get Patch Delete;
    "logs" "Logs": Get;
    "runs" "Runs": Get Post;
    "runs/{runID}" "RunsID": Get Delete;
    "runs/{runID}/logs" "RunsIDLogs": Get;
    "runs/{runID}/retry" "RunsIDRetry": Post;
    "members" "Members": Get Post;
    "members/{userID}" "MembersID": Delete;
    "owners" "Owners": Get Post;
    "owners/{userID}" "OwnersID": Delete;
    "labels" "Labels": Get Post;
    "labels/{labelID}" "LabelsID": Delete;
}

group! {
    TELEGRAFS: Compact, "/api/v2/telegrafs", "Telegrafs", "telegraf configurations";
    lists::telegrafs => TelegrafsView, SCOPE, &[400, 404];
    |c, s, b| create(&TELEGRAF, c, s, b);
    TELEGRAF: Get Put Delete;
    "members" "Members": Get Post;
    "members/{userID}" "MembersID": Delete;
    "owners" "Owners": Get Post;
    "owners/{userID}" "OwnersID": Delete;
    "labels" "Labels": Get Post;
    "labels/{labelID}" "LabelsID": Delete;
}

group! {
    SCRAPERS: Compact, "/api/v2/scrapers", "Scrapers", "scrapers";
    lists::scrapers => ScrapersView, SCOPE, &[400, 404];
    |c, s, b| create(&SCRAPER, c, s, b);
    SCRAPER: Get Patch Delete;
    "members" "Members": Get Post;
    "members/{userID}" "MembersID": Delete;
    "owners" "Owners": Get Post;
    "owners/{userID}" "OwnersID": Delete;
    "labels" "Labels": Get Post;
    "labels/{labelID}" "LabelsID": Delete;
}

group! {
    STACKS: Pretty, "/api/v2/stacks", "Stacks", "stacks";
    lists::stacks => StacksView, &[ORG_ID], &[400];
    create_stack;
    STACK: Get Patch Delete;
    "uninstall" "Uninstall": Post;
}

group! {
    REMOTES: Pretty, "/api/v2/remotes", "RemoteConnections", "remote connections";
    lists::remotes => RemotesView, SCOPE, &[400, 404];
    |c, s, b| create(&REMOTE, c, s, b);
    REMOTE: Get Patch Delete;
}

group! {
    REPLICATIONS: Pretty, "/api/v2/replications", "Replications", "replications";
    lists::replications => ReplicationsView, SCOPE, &[400, 404];
    |c, s, b| create(&REPLICATION, c, s, b);
    REPLICATION: Get Patch Delete;
    "validate" "Validate": Post;
}

group! {
    NOTEBOOKS: Pretty, "/api/v2private/notebooks", "Notebooks", "notebooks";
    lists::notebooks => NotebooksView, &[ORG_ID], &[400];
    |c, s, b| create(&NOTEBOOK, c, s, b);
    NOTEBOOK: Get Put Patch Delete;
}

/// Members, owners or labels of dashboards: who asks for them is told that there is no such
/// dashboard, and that before anything else.
macro_rules! of_dashboards {
    ($name:ident: $style:ident, $root:literal, $word:literal, $single:literal) => {
        pub(crate) const $name: Group = Group {
            root: $root,
            style: Style::$style,
            operations: &[
                Operation::new(
                    (Get, $root),
                    || web::to(of_no_dashboard),
                    (
                        concat!("GetDashboardsID", $word),
                        "there is no such dashboard",
                    ),
                    &[],
                ),
                Operation::new(
                    (Post, $root),
                    || web::to(of_no_dashboard),
                    (
                        concat!("PostDashboardsID", $word),
                        "there is no such dashboard",
                    ),
                    &[],
                ),
                Operation::new(
                    (Verb::Delete, concat!($root, $single)),
                    || web::to(of_no_dashboard),
                    (
                        concat!("DeleteDashboardsID", $word, "ID"),
                        "there is no such dashboard",
                    ),
                    &[],
                ),
            ],
        };
    };
}

of_dashboards! {
    MEMBERS_OF_DASHBOARDS: Pretty, "/api/v2/dashboards/{id}/members", "Members", "/{userID}"
}

of_dashboards! {
    OWNERS_OF_DASHBOARDS: Pretty, "/api/v2/dashboards/{id}/owners", "Owners", "/{userID}"
}

of_dashboards! {
    LABELS_OF_DASHBOARDS: Embedded, "/api/v2/dashboards/{id}/labels", "Labels", "/{labelID}"
}

pub(crate) const ANNOTATIONS: Group = Group {
    root: "/api/v2private/annotations",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2private/annotations"),
            || web::to(lists::annotations),
            ("GetAnnotations", "Lists annotations: there are none"),
            &[Answer::json::<AnnotationsView>(200)],
        )
        .query(&[ORG_ID])
        .errors(&[400]),
        Operation::new(
            (Post, "/api/v2private/annotations"),
            || web::to(|c, r| change(&ANNOTATION, c, r)),
            ("PostAnnotations", "annotations are not implemented"),
            &[],
        )
        .query(&[ORG_ID])
        .errors(&[400, 501]),
        Operation::new(
            (Verb::Delete, "/api/v2private/annotations"),
            || web::to(|c, r| change(&ANNOTATION, c, r)),
            ("DeleteAnnotations", "annotations are not implemented"),
            &[],
        )
        .query(&[ORG_ID])
        .errors(&[400, 501]),
        Operation::new(
            (Get, "/api/v2private/annotations/{id}"),
            || web::to(|r| missing(&ANNOTATION, r)),
            ("GetAnnotationsID", "there is no such annotation"),
            &[],
        ),
        Operation::new(
            (Verb::Put, "/api/v2private/annotations/{id}"),
            || web::to(|r| missing(&ANNOTATION, r)),
            ("PutAnnotationsID", "there is no such annotation"),
            &[],
        ),
        Operation::new(
            (Verb::Delete, "/api/v2private/annotations/{id}"),
            || web::to(|r| missing(&ANNOTATION, r)),
            ("DeleteAnnotationsID", "there is no such annotation"),
            &[],
        ),
    ],
};

pub(crate) const STREAMS: Group = Group {
    root: "/api/v2private/streams",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2private/streams"),
            || web::to(lists::streams),
            ("GetStreams", "Lists annotation streams: there are none"),
            &[Answer::json::<Nothing>(200)],
        )
        .query(&[ORG_ID])
        .errors(&[400]),
        Operation::new(
            (Verb::Put, "/api/v2private/streams"),
            || web::to(|c, r| change(&STREAM, c, r)),
            ("PutStreams", "annotation streams are not implemented"),
            &[],
        )
        .query(&[ORG_ID])
        .errors(&[400, 501]),
        Operation::new(
            (Verb::Delete, "/api/v2private/streams"),
            || web::to(|c, r| change(&STREAM, c, r)),
            ("DeleteStreams", "annotation streams are not implemented"),
            &[],
        )
        .query(&[ORG_ID])
        .errors(&[400, 501]),
        Operation::new(
            (Verb::Put, "/api/v2private/streams/{id}"),
            || web::to(|r| missing(&STREAM, r)),
            ("PutStreamsID", "there is no such stream"),
            &[],
        ),
        Operation::new(
            (Verb::Delete, "/api/v2private/streams/{id}"),
            || web::to(|r| missing(&STREAM, r)),
            ("DeleteStreamsID", "there is no such stream"),
            &[],
        ),
    ],
};

pub(crate) const TELEGRAF_PLUGINS: Group = Group {
    root: "/api/v2/telegraf/plugins",
    style: Style::Compact,
    operations: &[Operation::new(
        (Get, "/api/v2/telegraf/plugins"),
        || web::to(lists::plugins),
        (
            "GetTelegrafPlugins",
            "Lists plugins for telegraf configurations: there are none",
        ),
        &[Answer::json::<PluginsView>(200)],
    )],
};

pub(crate) const DOCUMENTS: Group = Group {
    root: "/api/v2/documents",
    style: Style::Compact,
    operations: &[Operation::new(
        (Get, "/api/v2/documents/{ns}"),
        || web::to(lists::documents),
        ("GetDocuments", "Lists documents: there are none"),
        &[Answer::json::<DocumentsView>(200)],
    )
    .query(SCOPE)],
};

pub(crate) const TEMPLATES: Group = Group {
    root: "/api/v2/templates",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Post, "/api/v2/templates/apply"),
            || web::to(templates),
            ("ApplyTemplate", "templates are not implemented"),
            &[],
        )
        .errors(&[501]),
        Operation::new(
            (Post, "/api/v2/templates/export"),
            || web::to(templates),
            ("ExportTemplate", "templates are not implemented"),
            &[],
        )
        .errors(&[501]),
    ],
};
