//! `/api/v2/me`

use actix_web::{HttpResponse, web};

use crate::caller::Caller;
use crate::error::ApiError;
use crate::routes::operation::Verb::{Get, Put};
use crate::routes::operation::{Answer, Group, Operation, Style};
use crate::state::AppState;
use crate::v2::users::get::show;
use crate::v2::users::password::{self, PasswordBody};
use crate::v2::users::view::UserView;

pub(crate) const GROUP: Group = Group {
    root: "/api/v2/me",
    style: Style::Pretty,
    operations: &[
        Operation::new(
            (Get, "/api/v2/me"),
            || web::to(me),
            ("GetMe", "Shows the user that the caller acts for"),
            &[Answer::json::<UserView>(200)],
        )
        .errors(&[404]),
        Operation::new(
            (Put, "/api/v2/me/password"),
            || web::to(password::change_own),
            (
                "PutMePassword",
                "Changes the password of the user that the caller acts for",
            ),
            &[Answer::empty(204)],
        )
        .takes::<PasswordBody>(),
    ],
};

/// `GET /api/v2/me`: as it is now, even if the caller was recognised a moment ago.
async fn me(caller: Caller, state: web::Data<AppState>) -> Result<HttpResponse, ApiError> {
    show(&caller, &state, caller.user.id).await
}
