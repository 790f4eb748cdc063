//! `POST /api/v2/delete`
use actix_web::HttpResponse;
use crate::caller::Caller;
pub(crate) async fn delete(_caller: Caller) -> HttpResponse { HttpResponse::Ok().finish() }
