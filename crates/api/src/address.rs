//! Where a request comes from.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest, web};

use crate::error::ApiError;
use crate::state::AppState;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer's, or with `--trust-proxy-header` what the proxy in front
/// says, which is the last address in `X-Forwarded-For`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    /// Of a request, as this server is to see it.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let trusts_proxy = request
            .app_data::<web::Data<AppState>>()
            .is_some_and(|state| state.config.trust_proxy_header);
        let peer = request.peer_addr().map(|peer| peer.ip());
        let told = trusts_proxy
            .then(|| forwarded_for(request.headers()))
            .flatten();
        // A request without a peer comes from no network.
        let address = told.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Self(address.to_canonical())
    }
}

impl FromRequest for ClientAddress {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

/// The last address of the last header: what the nearest proxy saw. Those before it are the
/// client's word.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).last()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim().trim_matches('"');
    let bare = || last.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || last.parse::<SocketAddr>().ok().map(|a| a.ip());
    last.parse().ok().or_else(bare).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn the_last_address_counts() {
        for (headers, expected) in [
            (&["192.0.2.1"][..], Some("192.0.2.1")),
            (&["10.0.0.1, 192.0.2.1"], Some("192.0.2.1")),
            (&["192.0.2.9", "10.0.0.1,192.0.2.1"], Some("192.0.2.1")),
            (&["192.0.2.1:4711"], Some("192.0.2.1")),
            (&["2001:db8::1"], Some("2001:db8::1")),
            (&["\"[2001:db8::1]:4711\""], Some("2001:db8::1")),
            (&["[2001:db8::1]"], Some("2001:db8::1")),
            (&["192.0.2.1, unknown"], None),
            (&[""], None),
            (&[], None),
        ] {
            let mut map = HeaderMap::new();
            for value in headers {
                map.append(FORWARDED_FOR, HeaderValue::from_static(value));
            }
            assert_eq!(
                forwarded_for(&map).map(|a| a.to_string()).as_deref(),
                expected,
                "{headers:?}"
            );
        }
    }
}
