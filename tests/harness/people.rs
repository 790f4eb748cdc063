//! What an operator does so that others have something to work with.

use reqwest::Method;
use serde_json::{Value, json};

use crate::ORG;
use crate::answer::Answer;
use crate::client::{Client, Credential, SESSION_COOKIE};

/// The types that permissions are for, `instance` aside.
const TYPES: [&str; 22] = [
    "authorizations",
    "buckets",
    "dashboards",
    "orgs",
    "sources",
    "tasks",
    "telegrafs",
    "users",
    "variables",
    "scrapers",
    "secrets",
    "labels",
    "views",
    "documents",
    "notificationRules",
    "notificationEndpoints",
    "checks",
    "dbrp",
    "notebooks",
    "annotations",
    "remotes",
    "replications",
];

/// What a token may do: `Permission("read", "buckets", org, id)`; an empty text leaves that open.
#[derive(Debug, Clone, Copy)]
pub struct Permission<'a>(pub &'a str, pub &'a str, pub &'a str, pub &'a str);

impl Permission<'_> {
    /// As a request has it.
    pub fn json(self) -> Value {
        let Self(action, kind, org, id) = self;
        let mut resource = json!({"type": kind});
        if !org.is_empty() {
            resource["orgID"] = org.into();
        }
        if !id.is_empty() {
            resource["id"] = id.into();
        }
        json!({"action": action, "resource": resource})
    }
}

/// What clients call all-access: everything in one organization, as far as a user may hand it out.
pub fn all_access(org: &str, user: &str) -> Vec<Value> {
    let mut permissions = Vec::new();
    for kind in TYPES {
        for action in ["read", "write"] {
            let permission = match (kind, action) {
                ("orgs", "write") => continue,
                ("orgs", _) => Permission(action, kind, "", org),
                ("users", _) => Permission(action, kind, "", user),
                _ => Permission(action, kind, org, ""),
            };
            permissions.push(permission.json());
        }
    }
    permissions
}

/// An authorization, and somebody who has it.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The authorization's id.
    pub id: String,
    /// Somebody with its token, or its name and password.
    pub client: Client,
}

impl Answer {
    /// The text below `key` of something that was made.
    #[track_caller]
    pub fn made(&self, key: &str) -> String {
        assert_eq!(self.status.as_u16(), 201, "{}", self.body);
        let text = self.json()[key].as_str().map(ToOwned::to_owned);
        text.unwrap_or_else(|| panic!("no {key} in {}", self.body))
    }

    /// A change that was made, or a thing that was removed.
    #[track_caller]
    pub fn is_done(&self) {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
    }
}

impl Client {
    /// The id of an organization.
    pub async fn org_id(&self, name: &str) -> String {
        let answer = self.gets(&format!("/api/v2/orgs?org={name}")).await;
        let id = answer.json()["orgs"][0]["id"]
            .as_str()
            .map(ToOwned::to_owned);
        id.unwrap_or_else(|| panic!("no organization {name}: {}", answer.body))
    }

    /// The id of a user.
    pub async fn user_id(&self, name: &str) -> String {
        let answer = self.gets(&format!("/api/v2/users?name={name}")).await;
        let id = answer.json()["users"][0]["id"]
            .as_str()
            .map(ToOwned::to_owned);
        id.unwrap_or_else(|| panic!("no user {name}: {}", answer.body))
    }

    /// The id of a bucket.
    pub async fn bucket_id(&self, org: &str, name: &str) -> String {
        let path = format!("/api/v2/buckets?orgID={org}&name={name}");
        let answer = self.gets(&path).await;
        let id = answer.json()["buckets"][0]["id"]
            .as_str()
            .map(ToOwned::to_owned);
        id.unwrap_or_else(|| panic!("no bucket {name}: {}", answer.body))
    }

    /// Makes a bucket in the organization of the set-up; returns what the server says of it.
    pub async fn makes_bucket(&self, name: &str) -> Value {
        let org = self.org_id(ORG).await;
        let made = self.tries_to_make_bucket(&org, name).await;
        made.made("id");
        made.json()
    }

    /// Asks for a bucket.
    pub async fn tries_to_make_bucket(&self, org: &str, name: &str) -> Answer {
        let body = json!({"name": name, "orgID": org});
        self.posts("/api/v2/buckets", &body).await
    }

    /// Makes an organization; returns its id.
    pub async fn makes_org(&self, name: &str) -> String {
        let made = self.posts("/api/v2/orgs", &json!({"name": name})).await;
        made.made("id")
    }

    /// Makes a user; returns their id.
    pub async fn makes_user(&self, name: &str) -> String {
        let made = self.posts("/api/v2/users", &json!({"name": name})).await;
        made.made("id")
    }

    /// Sets a user's password.
    pub async fn sets_password(&self, user: &str, password: &str) -> Answer {
        let path = format!("/api/v2/users/{user}/password");
        self.posts(&path, &json!({"password": password})).await
    }

    /// Makes a user a member or an owner (`role` is the last part of the path) of something.
    pub async fn adds_member(&self, thing: &str, role: &str, user: &str) -> Answer {
        let path = format!("/api/v2/{thing}/{role}");
        self.posts(&path, &json!({"id": user})).await
    }

    /// Makes a token for a user.
    pub async fn issues(&self, org: &str, user: &str, permissions: &[Value]) -> Issued {
        let body = json!({"orgID": org, "userID": user, "permissions": permissions});
        let made = self.posts("/api/v2/authorizations", &body).await;
        Issued {
            id: made.made("id"),
            client: self.with_token(&made.made("token")),
        }
    }

    /// Makes a 1.x user that belongs to a user.
    pub async fn makes_v1_user(
        &self,
        (name, password): (&str, &str),
        org: &str,
        user: &str,
        permissions: &[Value],
    ) -> Issued {
        let body = json!({
            "token": name, "orgID": org, "userID": user, "permissions": permissions,
        });
        let made = self.posts("/private/legacy/authorizations", &body).await;
        let id = made.made("id");
        self.sets_v1_password(&id, password).await.is_done();
        Issued {
            id,
            client: self.with(Credential::Basic(name.to_owned(), password.to_owned())),
        }
    }

    /// Sets the password of a 1.x user.
    pub async fn sets_v1_password(&self, id: &str, password: &str) -> Answer {
        let path = format!("/private/legacy/authorizations/{id}/password");
        self.posts(&path, &json!({"password": password})).await
    }

    /// Asks for a session.
    pub async fn tries_to_sign_in(&self, name: &str, password: &str) -> Answer {
        let request = self.bare_request(Method::POST, "/api/v2/signin");
        self.send(request.basic_auth(name, Some(password))).await
    }

    /// Signs in; returns somebody with the session.
    pub async fn signs_in(&self, name: &str, password: &str) -> Self {
        let answer = self.tries_to_sign_in(name, password).await;
        assert_eq!(answer.status.as_u16(), 204, "{}", answer.body);
        self.with(Credential::Session(answer.session_key()))
    }
}

impl Answer {
    /// The key in the cookie that a sign-in sets.
    #[track_caller]
    pub fn session_key(&self) -> String {
        let cookie = self.headers.get("set-cookie").expect("a Set-Cookie header");
        let cookie = cookie.to_str().expect("a cookie is plain text");
        let (name, rest) = cookie.split_once('=').expect("a cookie has a value");
        assert_eq!(name, SESSION_COOKIE);
        let (key, _) = rest.split_once(';').expect("a cookie has attributes");
        key.to_owned()
    }
}
