//! `/query`

use actix_web::HttpResponse;
use crate::caller::Caller;
pub(crate) async fn query(_caller: Caller) -> HttpResponse { HttpResponse::Ok().finish() }
