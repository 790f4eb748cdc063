//! The world that the table of routes is about: two organizations, their people and things.

use std::collections::BTreeMap;

use influxd_tests::{
    BUCKET, Client, Credential, Issued, OPERATOR_TOKEN, ORG, Permission, Person, Server, all_access,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What everybody's password is.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What a field of a bucket has, and no other answer.
const SECRET_VALUE: &str = "3.14159265358979";
const OTHER_SECRET_VALUE: &str = "2.71828182845905";

/// An id that nothing has.
const MISSING: &str = "00000000000ffff1";

/// Everything that rows name.
#[derive(Debug)]
pub(crate) struct World {
    operator: Client,
    /// Those whose credentials are accepted, and those whose are not.
    callers: BTreeMap<&'static str, Client>,
    things: BTreeMap<&'static str, String>,
    made: u32,
}

impl World {
    /// Sets a new server up and fills it.
    pub(crate) async fn fill(server: &Server) -> Self {
        let operator = server.set_up().await;
        let mut world = Self {
            callers: BTreeMap::from([
                ("operator", operator.clone()),
                ("nobody", operator.with(Credential::Nothing)),
                ("wrong-token", operator.with_token("wrong")),
                (
                    "wrong-bearer",
                    operator.with(Credential::Bearer("wrong".to_owned())),
                ),
                ("digest-as-token", operator.with_token(&digest())),
                ("name-as-token", operator.with_token("otto's sensor")),
                (
                    "wrong-session",
                    operator.with(Credential::Session("wrong".to_owned())),
                ),
            ]),
            operator,
            things: BTreeMap::from([
                ("missing", MISSING.to_owned()),
                ("password", PASSWORD.to_owned()),
                ("org name", ORG.to_owned()),
                ("other org name", "globex".to_owned()),
                ("bucket name", BUCKET.to_owned()),
                ("other bucket name", "weather".to_owned()),
                ("otto name", "otto".to_owned()),
                ("secret", "the-key-of-a-secret".to_owned()),
                ("secret value", SECRET_VALUE.to_owned()),
                ("other secret value", OTHER_SECRET_VALUE.to_owned()),
            ]),
            made: 0,
        };
        world.add_people().await;
        world.add_credentials().await;
        world.add_things().await;
        world.add_the_refused().await;
        world
    }

    /// Somebody, by the name of their column or gate line.
    pub(crate) fn caller(&self, name: &str) -> &Client {
        self.callers
            .get(name)
            .unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// Something that is there from the start.
    pub(crate) fn thing(&self, name: &str) -> Option<&str> {
        self.things.get(name).map(String::as_str)
    }

    fn known(&self, name: &str) -> String {
        let thing = self.thing(name);
        thing
            .unwrap_or_else(|| panic!("there is no {name}"))
            .to_owned()
    }

    /// A name that nothing has.
    pub(crate) fn new_name(&mut self) -> String {
        self.made += 1;
        format!("new-{}", self.made)
    }

    async fn add_people(&mut self) {
        let operator = self.operator.clone();
        let org = operator.org_id(ORG).await;
        let other_org = operator.makes_org("globex").await;
        for name in ["otto", "mia", "bob"] {
            let user = operator.makes_user(name).await;
            operator.sets_password(&user, PASSWORD).await.is_done();
            self.things.insert(name, user);
        }
        let first = Person::default();
        self.things
            .insert("first", operator.user_id(first.name).await);
        self.things
            .insert("bucket", operator.bucket_id(&org, BUCKET).await);
        self.things
            .insert("system bucket", operator.bucket_id(&org, "_tasks").await);
        let other = operator.tries_to_make_bucket(&other_org, "weather").await;
        self.things.insert("other bucket", other.made("id"));
        for (thing, role, user) in [
            (&org, "members", "mia"),
            (&org, "owners", "otto"),
            (&other_org, "owners", "bob"),
        ] {
            let user = self.known(user);
            let thing = format!("orgs/{thing}");
            operator.adds_member(&thing, role, &user).await.is_done();
        }
        self.things.insert("org", org);
        self.things.insert("other org", other_org);
        for (caller, name, password) in [
            ("member", "mia", PASSWORD),
            ("owner", "otto", PASSWORD),
            ("first", first.name, first.password),
        ] {
            let session = operator.signs_in(name, password).await;
            self.callers.insert(caller, session);
        }
    }

    async fn add_credentials(&mut self) {
        let (bucket, org, otto) = (self.known("bucket"), self.known("org"), self.known("otto"));
        for caller in ["reader", "writer", "1.x"] {
            let issued = self.issue_on(caller, &bucket).await;
            self.callers.insert(caller, issued.client);
            let key = match caller {
                "reader" => "reader id",
                "writer" => "writer id",
                _ => "1.x id",
            };
            self.things.insert(key, issued.id);
        }
        let all = all_access(&org, &otto);
        let all = self.operator.issues(&org, &otto, &all).await;
        self.callers.insert("all-access", all.client);
        let (other_org, bob) = (self.known("other org"), self.known("bob"));
        let foreign = all_access(&other_org, &bob);
        let foreign = self.operator.issues(&other_org, &bob, &foreign).await;
        foreign
            .client
            .writes_in(
                "globex",
                "weather",
                &format!("m secret={OTHER_SECRET_VALUE} 1"),
            )
            .await
            .is_accepted();
        self.callers.insert("foreign", foreign.client);
        self.things.insert("foreign id", foreign.id);
    }

    /// A credential like that of `caller`, on another bucket. `None`: that caller's is not on one
    /// bucket alone.
    pub(crate) async fn credential_on(&mut self, caller: &str, bucket: &str) -> Option<Client> {
        match caller {
            "reader" | "writer" | "1.x" => Some(self.issue_on(caller, bucket).await.client),
            _ => None,
        }
    }

    async fn issue_on(&mut self, caller: &str, bucket: &str) -> Issued {
        let (org, otto) = (self.known("org"), self.known("otto"));
        let permissions: Vec<Value> = ["read", "write"]
            .into_iter()
            .filter(|action| match caller {
                "reader" => *action == "read",
                "writer" => *action == "write",
                _ => true,
            })
            .map(|action| Permission(action, "buckets", &org, bucket).json())
            .collect();
        if caller != "1.x" {
            return self.operator.issues(&org, &otto, &permissions).await;
        }
        let name = match self.callers.contains_key("1.x") {
            true => self.new_name(),
            false => "otto's sensor".to_owned(),
        };
        self.operator
            .makes_v1_user((&name, PASSWORD), &org, &otto, &permissions)
            .await
    }

    async fn add_things(&mut self) {
        let operator = self.operator.clone();
        operator
            .writes(&format!("m secret={SECRET_VALUE} 1"))
            .await
            .is_accepted();
        let (org, bucket) = (self.known("org"), self.known("bucket"));
        let label = self.make("spare label on the bucket").await;
        self.things.insert("label", label);
        let mapping = json!({
            "orgID": org, "bucketID": bucket, "database": "mapped", "retention_policy": "rp",
        });
        let mapping = operator.posts("/api/v2/dbrps", &mapping).await;
        self.things.insert("mapping", mapping.made("id"));
        let secrets = format!("/api/v2/orgs/{org}/secrets");
        operator
            .patches(&secrets, &json!({self.known("secret"): "value"}))
            .await
            .is_done();
        let bob = self.known("bob");
        operator
            .adds_member(&format!("buckets/{bucket}"), "members", &bob)
            .await
            .is_done();
        let own = operator.gets("/api/v2/authorizations").await.json();
        let own = own["authorizations"].as_array().expect("a list");
        let own = own
            .iter()
            .find(|own| own["userID"] == self.known("first").as_str())
            .expect("the token of the set-up");
        let own = own["id"].as_str().expect("an id").to_owned();
        self.things.insert("operator id", own);
    }

    /// Those whose credentials were good once.
    async fn add_the_refused(&mut self) {
        let operator = self.operator.clone();
        let (org, bucket) = (self.known("org"), self.known("bucket"));
        let everything = [Permission("read", "buckets", &org, "").json()];
        let inactive = json!({"status": "inactive"});
        for (name, token, session) in [
            ("ina", "inactive-users-token", "inactive-users-session"),
            ("del", "deleted-users-token", "deleted-users-session"),
        ] {
            let user = operator.makes_user(name).await;
            operator.sets_password(&user, PASSWORD).await.is_done();
            let issued = operator.issues(&org, &user, &everything).await;
            self.callers.insert(token, issued.client);
            let signed_in = operator.signs_in(name, PASSWORD).await;
            self.callers.insert(session, signed_in);
            let path = format!("/api/v2/users/{user}");
            match name {
                "ina" => operator.patches(&path, &inactive).await.is_done(),
                _ => operator.removes(&path).await.is_done(),
            }
        }
        let otto = self.known("otto");
        for caller in ["inactive-token", "removed-token"] {
            let issued = operator.issues(&org, &otto, &everything).await;
            let path = format!("/api/v2/authorizations/{}", issued.id);
            match caller {
                "inactive-token" => operator.patches(&path, &inactive).await.is_done(),
                _ => operator.removes(&path).await.is_done(),
            }
            self.callers.insert(caller, issued.client);
        }
        let name = ("switched off", PASSWORD);
        let read = [Permission("read", "buckets", &org, &bucket).json()];
        let v1 = operator.makes_v1_user(name, &org, &otto, &read).await;
        let path = format!("/private/legacy/authorizations/{}", v1.id);
        operator.patches(&path, &inactive).await.is_done();
        self.callers.insert("inactive-1.x-user", v1.client);
        let session = operator.signs_in("mia", PASSWORD).await;
        let sign_out = session.request(reqwest::Method::POST, "/api/v2/signout");
        session.send(sign_out).await.is_done();
        self.callers.insert("signed-out-session", session);
    }

    /// Makes a thing for one request.
    pub(crate) async fn make(&mut self, name: &str) -> String {
        let operator = self.operator.clone();
        let (org, bucket) = (self.known("org"), self.known("bucket"));
        let (otto, new) = (self.known("otto"), self.new_name());
        let read = [Permission("read", "buckets", &org, &bucket).json()];
        match name {
            "new name" => new,
            "spare org" => {
                let made = operator.makes_org(&new).await;
                let (thing, mia) = (format!("orgs/{made}"), self.known("mia"));
                operator
                    .adds_member(&thing, "owners", &otto)
                    .await
                    .is_done();
                operator
                    .adds_member(&thing, "members", &mia)
                    .await
                    .is_done();
                made
            }
            "spare user" => operator.makes_user(&new).await,
            "spare member" | "spare owner" | "spare bucket member" => {
                let user = operator.makes_user(&new).await;
                let (thing, role) = match name {
                    "spare member" => (format!("orgs/{org}"), "members"),
                    "spare owner" => (format!("orgs/{org}"), "owners"),
                    _ => (format!("buckets/{bucket}"), "owners"),
                };
                operator.adds_member(&thing, role, &user).await.is_done();
                user
            }
            "spare secret" => {
                let path = format!("/api/v2/orgs/{org}/secrets");
                operator
                    .patches(&path, &json!({&new: "value"}))
                    .await
                    .is_done();
                new
            }
            "spare token" => operator.issues(&org, &otto, &read).await.id,
            "spare 1.x user" | "spare strong 1.x user" => {
                let strong = [Permission("write", "orgs", "", &org).json()];
                let permissions = if name == "spare 1.x user" {
                    read
                } else {
                    strong
                };
                let body = json!({
                    "token": new, "orgID": org, "userID": otto, "permissions": permissions,
                });
                let made = operator
                    .posts("/private/legacy/authorizations", &body)
                    .await;
                made.made("id")
            }
            "spare bucket" => operator.tries_to_make_bucket(&org, &new).await.made("id"),
            "spare label" | "spare label on the bucket" => {
                let body = json!({"orgID": org, "name": new});
                let made = operator.posts("/api/v2/labels", &body).await;
                let id = made.json()["label"]["id"].as_str().map(ToOwned::to_owned);
                let id = id.unwrap_or_else(|| panic!("no label: {}", made.body));
                if name == "spare label on the bucket" {
                    let path = format!("/api/v2/buckets/{bucket}/labels");
                    operator
                        .posts(&path, &json!({"labelID": id}))
                        .await
                        .is_done();
                }
                id
            }
            "spare mapping" => {
                let body = json!({
                    "orgID": org, "bucketID": bucket, "database": new, "retention_policy": "rp",
                });
                operator.posts("/api/v2/dbrps", &body).await.made("id")
            }
            _ => panic!("there is no <{name}>"),
        }
    }

    /// A new session for a caller who has one.
    pub(crate) async fn signs_in_again(&self, caller: &str) -> Client {
        let first = Person::default();
        match caller {
            "member" => self.operator.signs_in("mia", PASSWORD).await,
            "owner" => self.operator.signs_in("otto", PASSWORD).await,
            "first" => self.operator.signs_in(first.name, first.password).await,
            _ => self.caller(caller).clone(),
        }
    }
}

/// What is stored of the operator's token (auth-and-resources 6.2).
fn digest() -> String {
    use base64::Engine as _;
    let digest = Sha256::digest(OPERATOR_TOKEN);
    let digest = base64::engine::general_purpose::URL_SAFE.encode(digest);
    format!("$influxdb2-sha256${digest}")
}
