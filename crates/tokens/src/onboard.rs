//! The set-up of an instance: first user, organization, bucket and operator token, as one
//! transaction.

use std::sync::Arc;

use influxd_model::{
    Authorization, Bucket, BucketKind, Clock, MemberOf, Membership, OrgId, Organization,
    Permission, Role, Status, User, default_shard_duration,
};
use influxd_store::{Store, StoreError, Transaction, Unique};
use secrecy::{ExposeSecret, SecretSlice};

use crate::{
    ApiToken, BucketNameError, Hashing, Ids, PasswordError, PasswordRuleError, PasswordRules,
    Passwords, Randomness, RetentionError, check_bucket_name, check_retention,
};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// What a client asks to be set up (auth-and-resources 3.2). Empty texts count as absent.
#[derive(Debug, Clone, Default)]
pub struct SetUp {
    /// The first user's name.
    pub username: String,
    /// Its password; none: it cannot sign in.
    pub password: Option<SecretSlice<u8>>,
    /// The organization's name.
    pub org: String,
    /// The bucket's name.
    pub bucket: String,
    /// How long the bucket keeps points, seconds; used when above zero.
    pub retention_seconds: i64,
    /// The same in hours; used when the seconds are not.
    pub retention_hours: i64,
    /// The operator token; generated when absent.
    pub token: Option<ApiToken>,
}

/// What was set up.
#[derive(Debug, Clone)]
pub struct Onboarded {
    /// The first user.
    pub user: User,
    /// The organization.
    pub organization: Organization,
    /// The bucket.
    pub bucket: Bucket,
    /// The operator's authorization.
    pub authorization: Authorization,
    /// Its token, for the one answer that shows it.
    pub token: ApiToken,
}

/// Why an instance was not set up. Nothing is left behind. The texts are part of the contract.
#[derive(Debug, thiserror::Error)]
pub enum OnboardError {
    /// It is set up already.
    #[error("onboarding has already been completed")]
    Done,
    /// There is such a user. Only where more than one set-up is allowed, as is the next.
    #[error("user with name {0} already exists")]
    UserTaken(String),
    /// There is such an organization.
    #[error("organization with name {} already exists", .0.trim())]
    OrganizationTaken(String),
    /// The token that was given opens something already.
    #[error("token already exists")]
    TokenTaken,
    /// Fields that must be there are not.
    #[error("onboarding failed: missing required fields [{}]", .0.join(","))]
    Missing(Vec<&'static str>),
    /// The password breaks a rule.
    #[error(transparent)]
    Password(#[from] PasswordRuleError),
    /// The organization's name is blank.
    #[error("org name is empty")]
    BlankOrganization,
    /// A name is too long.
    #[error("key too large")]
    NameTooLong,
    /// A name holds U+0000, which PostgreSQL cannot store.
    #[error("a text must not hold U+0000")]
    Nul,
    /// The bucket cannot have this name.
    #[error(transparent)]
    BucketName(#[from] BucketNameError),
    /// The bucket's retention is longer than can be counted.
    #[error("the retention must be at most 9223372036 seconds")]
    RetentionTooLong,
    /// The bucket cannot have this retention.
    #[error(transparent)]
    Retention(#[from] RetentionError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What [`onboard`] works with.
#[derive(Debug)]
pub struct Tools<'a> {
    /// Where everything goes.
    pub store: &'a Arc<dyn Store>,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// For the generated token.
    pub random: &'a dyn Randomness,
    /// For everything that is made.
    pub ids: &'a Ids,
    /// How the token is to be stored.
    pub hashing: &'a Hashing,
    /// Hashes the password.
    pub passwords: &'a Passwords,
    /// Whether an instance may be set up again, and again: for tests.
    pub again: bool,
}

/// How often an id is drawn before we give up (auth-and-resources 1.1).
const TRIES: usize = 100;

/// The longest name of an organization or a user, bytes (auth-and-resources 9.1).
pub const MAX_NAME: usize = 32_768;

/// Whether the instance can be set up: there is no user and no organization at all.
pub async fn set_up_allowed(store: &dyn Store) -> Result<bool, StoreError> {
    let mut transaction = store.begin_read().await?;
    Ok(transaction.users().is_empty().await? && transaction.organizations().is_empty().await?)
}

/// Sets the instance up: everything or nothing (auth-and-resources 3.3).
pub async fn onboard(tools: &Tools<'_>, request: &SetUp) -> Result<Onboarded, OnboardError> {
    if !tools.again && !set_up_allowed(&**tools.store).await? {
        return Err(OnboardError::Done);
    }
    let taken = if tools.again {
        Taken::look_up(&**tools.store, request).await?
    } else {
        Taken::default()
    };
    let (retention, shard_duration) = check(request, tools.passwords.rules(), taken)?;
    let hash = match &request.password {
        Some(password) => Some(tools.passwords.hash(password).await?),
        None => None,
    };
    for _ in 0..TRIES {
        let made = make(tools, request, retention, shard_duration);
        match store(tools, &made, hash.as_deref()).await {
            Err(OnboardError::Store(StoreError::Conflict(Unique::Id))) => {}
            result => return result.map(|()| made),
        }
    }
    Err(StoreError::Conflict(Unique::Id).into())
}

/// What of a set-up there is already.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    user: bool,
    organization: bool,
}

impl Taken {
    async fn look_up(store: &dyn Store, request: &SetUp) -> Result<Self, StoreError> {
        let mut transaction = store.begin_read().await?;
        let user = transaction.users().find_by_name(&request.username).await?;
        let mut organizations = transaction.organizations();
        let organization = organizations.find_by_name(&request.org).await?;
        Ok(Self {
            user: user.is_some(),
            organization: organization.is_some(),
        })
    }
}

/// Stores all of it, in one transaction.
async fn store(
    tools: &Tools<'_>,
    made: &Onboarded,
    hash: Option<&str>,
) -> Result<(), OnboardError> {
    let mut transaction = tools.store.begin().await?;
    transaction.lock_for_set_up().await?;
    // Asked again, where nobody can come between.
    let is_empty =
        transaction.users().is_empty().await? && transaction.organizations().is_empty().await?;
    if !tools.again && !is_empty {
        return Err(OnboardError::Done);
    }
    let result = insert(tools, &mut *transaction, made, hash).await;
    match result {
        Ok(()) => Ok(transaction.commit().await?),
        Err(StoreError::Conflict(Unique::Token)) => Err(OnboardError::TokenTaken),
        // Whatever is taken, an empty instance had none of it: another set-up was faster.
        Err(StoreError::Conflict(Unique::UserName | Unique::OrganizationName)) if !tools.again => {
            Err(OnboardError::Done)
        }
        Err(StoreError::Conflict(Unique::UserName)) => {
            Err(OnboardError::UserTaken(made.user.name.clone()))
        }
        Err(StoreError::Conflict(Unique::OrganizationName)) => Err(
            OnboardError::OrganizationTaken(made.organization.name.clone()),
        ),
        Err(error) => Err(error.into()),
    }
}

async fn insert(
    tools: &Tools<'_>,
    transaction: &mut dyn Transaction,
    made: &Onboarded,
    hash: Option<&str>,
) -> Result<(), StoreError> {
    let (user, organization) = (&made.user, &made.organization);
    transaction.users().insert(user).await?;
    if let Some(hash) = hash {
        transaction.users().set_password(user.id, hash).await?;
    }
    transaction.organizations().insert(organization).await?;
    for bucket in system_buckets(tools.ids, organization.id, organization.created_at) {
        transaction.buckets().insert(&bucket).await?;
    }
    transaction.buckets().insert(&made.bucket).await?;
    for of in [MemberOf::Organization(organization.id), MemberOf::Instance] {
        let role = Role::Owner;
        let owner = Membership {
            user: user.id,
            of,
            role,
        };
        transaction.memberships().insert(&owner).await?;
    }
    let token = tools.hashing.stored(&made.token);
    let mut authorizations = transaction.authorizations();
    authorizations
        .insert(&made.authorization, Some(&token))
        .await
}

/// Everything that can be refused before anything is stored, in the order of auth-and-resources
/// 3.3; the retention and the shard duration.
fn check(
    request: &SetUp,
    rules: PasswordRules,
    taken: Taken,
) -> Result<(Option<i64>, i64), OnboardError> {
    let required = [
        ("username", &request.username),
        ("org", &request.org),
        ("bucket", &request.bucket),
    ];
    let missing: Vec<&str> = required
        .iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(name, _)| *name)
        .collect();
    if !missing.is_empty() {
        return Err(OnboardError::Missing(missing));
    }
    check_text(&request.username)?;
    if taken.user {
        return Err(OnboardError::UserTaken(request.username.clone()));
    }
    if let Some(password) = &request.password {
        rules.check(password.expose_secret())?;
    }
    if request.org.trim().is_empty() {
        return Err(OnboardError::BlankOrganization);
    }
    check_text(&request.org)?;
    if taken.organization {
        return Err(OnboardError::OrganizationTaken(request.org.clone()));
    }
    check_bucket_name(&request.bucket)?;
    check_text(&request.bucket)?;
    let retention = match (request.retention_seconds, request.retention_hours) {
        (seconds, _) if seconds > 0 => Some((seconds, SECOND)),
        (_, hours) if hours > 0 => Some((hours, HOUR)),
        _ => None,
    };
    let retention = retention
        .map(|(count, unit)| {
            count
                .checked_mul(unit)
                .ok_or(OnboardError::RetentionTooLong)
        })
        .transpose()?;
    let shard_duration = check_retention(retention, default_shard_duration(retention))?;
    Ok((retention, shard_duration))
}

/// What no name may be.
fn check_text(name: &str) -> Result<(), OnboardError> {
    if name.len() > MAX_NAME {
        return Err(OnboardError::NameTooLong);
    }
    if name.contains('\0') {
        return Err(OnboardError::Nul);
    }
    Ok(())
}

fn make(
    tools: &Tools<'_>,
    request: &SetUp,
    retention: Option<i64>,
    shard_duration: i64,
) -> Onboarded {
    let now = tools.clock.now();
    let user = User {
        id: tools.ids.user(),
        name: request.username.clone(),
        status: Status::Active,
        oauth_id: String::new(),
    };
    let organization = Organization {
        id: tools.ids.org(),
        name: request.org.clone(),
        description: String::new(),
        created_at: now,
        updated_at: now,
    };
    let bucket = Bucket {
        id: tools.ids.bucket(),
        org: organization.id,
        name: request.bucket.clone(),
        kind: BucketKind::User,
        description: String::new(),
        policy: String::new(),
        retention,
        shard_duration,
        created_at: now,
        updated_at: now,
    };
    let authorization = Authorization {
        id: tools.ids.authorization(),
        v1_name: None,
        org: organization.id,
        user: user.id,
        status: Status::Active,
        description: format!("{}'s Token", user.name),
        permissions: Permission::operator(),
        created_at: now,
        updated_at: now,
    };
    let given = request.token.as_ref().filter(|token| !token.is_empty());
    let token = given
        .cloned()
        .unwrap_or_else(|| ApiToken::generate(tools.random));
    Onboarded {
        user,
        organization,
        bucket,
        authorization,
        token,
    }
}

/// The two buckets that every organization has from the start (auth-and-resources 9.1).
pub fn system_buckets(ids: &Ids, org: OrgId, now: i64) -> [Bucket; 2] {
    let bucket = |name: &str, description: &str, retention| Bucket {
        id: ids.bucket(),
        org,
        name: name.to_owned(),
        kind: BucketKind::System,
        description: description.to_owned(),
        policy: String::new(),
        retention: Some(retention),
        shard_duration: DAY,
        created_at: now,
        updated_at: now,
    };
    [
        bucket("_tasks", "System bucket for task logs", 3 * DAY),
        bucket("_monitoring", "System bucket for monitoring logs", 7 * DAY),
    ]
}
