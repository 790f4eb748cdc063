//! Where the server listens, and why it cannot, in the words of 2.x (influxd-cli 4.1).

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

/// Listens at `host:port`. Without a host on every address, IPv6 and IPv4 where there are both. A
/// port may be the name of a service. The text of an error is the whole of what there is to say.
pub(crate) fn bind(address: &str) -> io::Result<TcpListener> {
    let (host, port) = split(address)?;
    let port = port_of(port)?;
    if host.is_empty() {
        return listen(address, ("::", port)).or_else(|_| listen(address, ("0.0.0.0", port)));
    }
    listen(address, (host, port))
}

/// Host and port; the brackets around an IPv6 address are gone.
fn split(address: &str) -> io::Result<(&str, &str)> {
    let wrong = |what: &str| {
        let text = format!("listen tcp: address {address}: {what} in address");
        io::Error::new(io::ErrorKind::InvalidInput, text)
    };
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(|| wrong("missing ']'"))?;
            let port = rest.strip_prefix(':');
            (host, port.ok_or_else(|| wrong("missing port"))?)
        }
        None => {
            let parts = address.split_once(':');
            parts.ok_or_else(|| wrong("missing port"))?
        }
    };
    if port.contains(':') {
        return Err(wrong("too many colons"));
    }
    Ok((host, port))
}

fn port_of(text: &str) -> io::Result<u16> {
    let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
    if let Ok(port) = text.parse() {
        return Ok(port);
    }
    match text {
        // Any free one.
        "" => Ok(0),
        "http" => Ok(80),
        "https" => Ok(443),
        _ if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-') =>
        {
            Err(invalid(format!("listen tcp: address {text}: invalid port")))
        }
        name => {
            let services = std::fs::read("/etc/services").unwrap_or_default();
            service(&String::from_utf8_lossy(&services), name)
                .ok_or_else(|| invalid(format!("listen tcp: lookup tcp/{name}: unknown port")))
        }
    }
}

/// The TCP port of a service, by the lines of a file as `/etc/services` (services(5)).
fn service(services: &str, name: &str) -> Option<u16> {
    services.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let (first, port) = (words.next()?, words.next()?.strip_suffix("/tcp")?);
        let is_named = first == name || words.any(|alias| alias == name);
        is_named.then(|| port.parse().ok()).flatten()
    })
}

fn listen(address: &str, place: (&str, u16)) -> io::Result<TcpListener> {
    let failed = |kind, why: &str| {
        let text = format!("listen tcp: lookup {}: {why}", place.0);
        io::Error::new(kind, text)
    };
    let places = place.to_socket_addrs();
    let places = places.map_err(|error| failed(error.kind(), &error.to_string()))?;
    let mut places: Vec<_> = places.collect();
    // Of a name with both, IPv4, as in 2.x.
    places.sort_by_key(SocketAddr::is_ipv6);
    let mut last = None;
    for place in places {
        match TcpListener::bind(place) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    let Some(error) = last else {
        return Err(failed(io::ErrorKind::NotFound, "no such host"));
    };
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "address already in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "cannot assign requested address".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    let text = format!("listen tcp {address}: bind: {why}");
    Err(io::Error::new(error.kind(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn fails(address: &str, expected: &str) {
        assert_eq!(bind(address).unwrap_err().to_string(), expected);
    }

    #[test]
    fn an_address_that_is_none_is_refused_in_the_words_of_2x() {
        let nonsense = "listen tcp: address nonsense: missing port in address";
        fails("nonsense", nonsense);
        fails("", "listen tcp: address : missing port in address");
        fails("127.0.0.1:99999", "listen tcp: address 99999: invalid port");
        fails("127.0.0.1:-1", "listen tcp: address -1: invalid port");
        fails(
            "::1:0",
            "listen tcp: address ::1:0: too many colons in address",
        );
        fails(
            "[::1]",
            "listen tcp: address [::1]: missing port in address",
        );
        fails(
            "[::1:0",
            "listen tcp: address [::1:0: missing ']' in address",
        );
        let unknown = "listen tcp: lookup tcp/no-such-service: unknown port";
        fails("127.0.0.1:no-such-service", unknown);
        let elsewhere = "listen tcp 192.0.2.1:0: bind: cannot assign requested address";
        fails("192.0.2.1:0", elsewhere);
    }

    #[test]
    fn an_address_in_use_is_refused_and_a_free_one_taken() {
        let listener = bind("127.0.0.1:0").unwrap();
        let taken = listener.local_addr().unwrap().to_string();
        let expected = format!("listen tcp {taken}: bind: address already in use");
        fails(&taken, &expected);
        let free = bind("localhost:0").unwrap();
        let free = free.local_addr().unwrap();
        assert!(free.ip().is_loopback() && free.is_ipv4(), "{free}");
        let everywhere = bind(":0").unwrap();
        assert!(everywhere.local_addr().unwrap().ip().is_unspecified());
    }

    #[test]
    fn services_have_names() {
        let file = "# names\nhttp-alt 8080/tcp webcache # a cache\nntp 123/udp\n\nx y/tcp\n";
        assert_eq!(service(file, "http-alt"), Some(8080));
        assert_eq!(service(file, "webcache"), Some(8080));
        for name in ["ntp", "x", "cache", "#", ""] {
            assert_eq!(service(file, name), None, "{name}");
        }
        assert_eq!(port_of("https").unwrap(), 443);
    }
}
