//! Nobody gains: whatever somebody may hand out, it opens nothing that was closed to them.

use std::collections::BTreeSet;

use influxd_tests::{BUCKET, Client, Home, ORG, Permission, Person, all_access, on_both_stores};
use reqwest::Method;
use serde_json::{Value, json};

on_both_stores!(whoever_hands_out_all_they_can_has_opened_nothing);

const PASSWORD: &str = "correct horse battery";

/// A user who does not exist while permissions are handed out, and does afterwards.
const FUTURE_USER: &str = "00000000000ffff1";

/// Two organizations, and what is in them.
struct World {
    operator: Client,
    orgs: [String; 2],
    buckets: [String; 2],
    labels: [String; 2],
    mapping: String,
    /// Who set the server up, an owner of each organization, and one who owns nothing.
    users: [String; 4],
    tokens: [String; 2],
}

impl World {
    async fn build(operator: Client) -> Self {
        let other = operator.makes_org("globex").await;
        let orgs = [operator.org_id(ORG).await, other];
        let weather = operator.tries_to_make_bucket(&orgs[1], "weather").await;
        let buckets = [
            operator.bucket_id(&orgs[0], BUCKET).await,
            weather.made("id"),
        ];
        let first = operator.user_id(Person::default().name).await;
        let mut users = vec![first];
        for name in ["otto", "bob", "mia"] {
            let user = operator.makes_user(name).await;
            operator.sets_password(&user, PASSWORD).await.is_done();
            users.push(user);
        }
        let users: [String; 4] = users.try_into().expect("four users");
        let mut labels = Vec::new();
        for (org, user) in orgs.iter().zip(&users[1..]) {
            let thing = format!("orgs/{org}");
            operator.adds_member(&thing, "owners", user).await.is_done();
            let label = json!({"orgID": org, "name": "label"});
            let label = operator.posts("/api/v2/labels", &label).await.json();
            labels.push(label["label"]["id"].as_str().unwrap().to_owned());
            let secrets = format!("/api/v2/orgs/{org}/secrets");
            operator
                .patches(&secrets, &json!({"key": "value"}))
                .await
                .is_done();
        }
        let mapping = json!({
            "orgID": orgs[1], "bucketID": buckets[1], "database": "d", "retention_policy": "r",
        });
        let mapping = operator.posts("/api/v2/dbrps", &mapping).await.made("id");
        let own = operator.gets("/api/v2/authorizations").await.json();
        let own = own["authorizations"][0]["id"].as_str().unwrap().to_owned();
        let foreign = all_access(&orgs[1], &users[2]);
        let foreign = operator.issues(&orgs[1], &users[2], &foreign).await.id;
        Self {
            operator,
            orgs,
            buckets,
            labels: labels.try_into().expect("two labels"),
            mapping,
            users,
            tokens: [own, foreign],
        }
    }

    /// Every permission that could be asked for here.
    fn permissions(&self, kinds: &[String]) -> Vec<Value> {
        let ids = [
            &self.orgs[..],
            &self.buckets,
            &self.labels,
            &self.users,
            &self.tokens,
        ];
        let ids = ids.concat();
        let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        ids.extend(["", FUTURE_USER, &self.mapping]);
        let mut permissions = Vec::new();
        for kind in kinds {
            for action in ["read", "write"] {
                for org in ["", &self.orgs[0], &self.orgs[1]] {
                    for id in &ids {
                        permissions.push(Permission(action, kind, org, id).json());
                    }
                }
            }
        }
        permissions
    }

    /// Requests that do no harm, each of which takes a right.
    async fn opens(&self, client: &Client) -> BTreeSet<String> {
        let text = |text: &str| json!({"description": text});
        let mut requests = Vec::new();
        let mut add = |method: Method, path: String, body: Value| {
            requests.push((method, path, body));
        };
        for (org, bucket) in self.orgs.iter().zip(&self.buckets) {
            add(Method::GET, format!("/api/v2/orgs/{org}"), Value::Null);
            add(Method::PATCH, format!("/api/v2/orgs/{org}"), text("seen"));
            add(
                Method::GET,
                format!("/api/v2/orgs/{org}/secrets"),
                Value::Null,
            );
            add(
                Method::PATCH,
                format!("/api/v2/orgs/{org}/secrets"),
                json!({"key": "v"}),
            );
            add(
                Method::GET,
                format!("/api/v2/buckets/{bucket}"),
                Value::Null,
            );
            add(
                Method::PATCH,
                format!("/api/v2/buckets/{bucket}"),
                text("seen"),
            );
            for named in &self.orgs {
                let target = format!("orgID={named}&bucket={bucket}");
                add(Method::POST, format!("/api/v2/write?{target}"), Value::Null);
                let nothing = json!({
                    "start": "2001-01-01T00:00:00Z", "stop": "2001-01-01T00:00:01Z",
                });
                add(Method::POST, format!("/api/v2/delete?{target}"), nothing);
                let mapping = json!({
                    "orgID": named, "bucketID": bucket, "retention_policy": "rp",
                    "database": format!("d{}", rand::random::<u64>()),
                });
                add(Method::POST, format!("/api/v2/dbrps?{target}"), mapping);
            }
        }
        for label in &self.labels {
            add(Method::GET, format!("/api/v2/labels/{label}"), Value::Null);
            add(
                Method::PATCH,
                format!("/api/v2/labels/{label}"),
                json!({"properties": {"a": "b"}}),
            );
        }
        for user in self.users.iter().map(String::as_str).chain([FUTURE_USER]) {
            add(Method::GET, format!("/api/v2/users/{user}"), Value::Null);
            add(
                Method::PATCH,
                format!("/api/v2/users/{user}"),
                json!({"status": "active"}),
            );
            // A weak password is refused after the right to set one.
            let password = format!("/api/v2/users/{user}/password");
            add(Method::POST, password, json!({"password": "weak"}));
        }
        for token in &self.tokens {
            add(
                Method::GET,
                format!("/api/v2/authorizations/{token}"),
                Value::Null,
            );
            add(
                Method::PATCH,
                format!("/api/v2/authorizations/{token}"),
                text("seen"),
            );
        }
        let foreign = format!("/api/v2/dbrps/{}?orgID={}", self.mapping, self.orgs[1]);
        add(Method::GET, foreign.clone(), Value::Null);
        add(Method::PATCH, foreign, json!({"default": true}));
        add(
            Method::POST,
            "/api/v2/users".to_owned(),
            json!({"name": "ada"}),
        );
        add(
            Method::POST,
            "/api/v2/orgs".to_owned(),
            json!({"name": ORG}),
        );
        add(Method::GET, "/api/v2/config".to_owned(), Value::Null);

        let mut open = BTreeSet::new();
        for (method, path, body) in requests {
            let request = client.request(method.clone(), &path);
            let request = if body.is_null() {
                request
            } else {
                request.json(&body)
            };
            let answer = client.send(request).await;
            // Whatever else is wrong with a request comes after the right to send it.
            if !matches!(answer.status.as_u16(), 401 | 403 | 404) {
                open.insert(format!("{method} {path}"));
            }
        }
        open
    }

    /// Hands out whatever `client` may, in one token for each organization.
    async fn hands_out(&self, client: &Client, kinds: &[String]) -> (usize, Vec<Client>) {
        let mut given = 0;
        let mut tokens = Vec::new();
        for org in &self.orgs {
            let mut allowed = Vec::new();
            for permission in self.permissions(kinds) {
                let body = json!({"orgID": org, "permissions": [permission]});
                let answer = client.posts("/api/v2/authorizations", &body).await;
                if answer.status.as_u16() == 201 {
                    allowed.push(permission);
                }
            }
            given += allowed.len();
            if !allowed.is_empty() {
                let body = json!({"orgID": org, "permissions": allowed});
                let all = client.posts("/api/v2/authorizations", &body).await;
                tokens.push(self.operator.with_token(&all.made("token")));
            }
        }
        (given, tokens)
    }
}

async fn whoever_hands_out_all_they_can_has_opened_nothing(home: Home) {
    let server = home.server().await;
    let world = World::build(server.set_up().await).await;
    let operator = &world.operator;
    // Types that decide about something here; on the others nothing can be done.
    let kinds = [
        "authorizations",
        "buckets",
        "orgs",
        "users",
        "labels",
        "secrets",
        "dbrp",
        "instance",
    ];
    let kinds = kinds.map(ToOwned::to_owned);
    let [org, _] = &world.orgs;
    let [_, otto, _, mia] = &world.users;
    let delegate = [
        Permission("write", "authorizations", org, "").json(),
        Permission("write", "users", "", otto).json(),
        Permission("read", "buckets", org, &world.buckets[0]).json(),
    ];
    let everything = all_access(org, otto);
    let mias = all_access(org, mia);
    let givers = [
        (
            "all-access",
            operator.issues(org, otto, &everything).await.client,
        ),
        (
            "all-access of one who owns nothing",
            operator.issues(org, mia, &mias).await.client,
        ),
        (
            "delegate",
            operator.issues(org, otto, &delegate).await.client,
        ),
        ("owner", operator.signs_in("otto", PASSWORD).await),
        (
            "nobody in particular",
            operator.signs_in("mia", PASSWORD).await,
        ),
    ];
    let mut before = Vec::new();
    for (_, giver) in &givers {
        before.push(world.opens(giver).await);
    }
    let mut taken = Vec::new();
    for (name, giver) in &givers {
        let (given, tokens) = world.hands_out(giver, &kinds).await;
        println!("{name}: hands out {given} permissions");
        taken.push(tokens);
    }
    // Somebody comes whose id was known before.
    let future = json!({"name": "future", "id": FUTURE_USER});
    operator.posts("/api/v2/users", &future).await.made("id");
    for (((name, giver), tokens), before) in givers.iter().zip(taken).zip(before) {
        // A session holds what the tokens of its user hold.
        for holder in tokens.iter().chain([giver]) {
            let gained = world.opens(holder).await;
            let gained: Vec<&String> = gained.difference(&before).collect();
            assert!(gained.is_empty(), "{name} gained {gained:#?}");
        }
    }
    // The probe itself sees what is open: an operator may do nearly all of it.
    assert!(world.opens(operator).await.len() > 40);
}
