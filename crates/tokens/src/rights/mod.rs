//! What a session may do, and that nobody gains: the look-ups behind the rules of the model
//! (auth-and-resources 4.6 and 4.9).

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use influxd_model::{
    AnyId, Authorization, AuthorizationId, BucketId, Home, LabelId, MemberOf, Objects, OrgId,
    Permission, ResourceType, Role, UserId, first_not_given, first_not_granted,
};
use influxd_store::{
    AuthorizationFilter, AuthorizationKind, Result as StoreResult, StoreError, Transaction,
};

use crate::Caller;

/// The caller may not hand something over: they do not hold it themselves. 403 `forbidden`; the
/// text is the contract's.
#[derive(Debug, thiserror::Error)]
pub enum GainError {
    /// The first permission that they do not hold.
    #[error("permission {0} is not allowed: {0} is unauthorized")]
    NotHeld(Permission),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a session of a user may do, by where it comes from (auth-and-resources 4.6).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionPermissions {
    /// From what the user is owner and member of, and as themselves (a and c): what
    /// `GET users/USR/permissions` shows.
    pub own: Vec<Permission>,
    /// From all API tokens of the user, active or not (b), each once.
    pub tokens: Vec<Permission>,
}

impl SessionPermissions {
    /// All of them.
    pub fn into_all(self) -> Vec<Permission> {
        let mut all = self.own;
        all.extend(self.tokens);
        all
    }
}

/// What a session of `user` may do. The user need not exist.
pub async fn session_permissions(
    transaction: &mut dyn Transaction,
    user: UserId,
) -> StoreResult<SessionPermissions> {
    Ok(SessionPermissions {
        own: own_permissions(transaction, user).await?,
        tokens: token_permissions(transaction, user).await?,
    })
}

/// What `user` may do by what they are owner and member of, and as themselves, without their
/// tokens (auth-and-resources 4.6, a and c).
pub async fn own_permissions(
    transaction: &mut dyn Transaction,
    user: UserId,
) -> StoreResult<Vec<Permission>> {
    let memberships = transaction.memberships().of_user(user).await?;
    Ok(Permission::of_user(user, &memberships))
}

/// What the API tokens of `user` may do, each permission once.
pub(crate) async fn token_permissions(
    transaction: &mut dyn Transaction,
    user: UserId,
) -> StoreResult<Vec<Permission>> {
    let filter = AuthorizationFilter {
        kind: AuthorizationKind::ApiToken,
        org: None,
        user: Some(user),
        living: false,
    };
    let tokens = transaction.authorizations().list(&filter).await?;
    let mut seen = HashSet::new();
    Ok(tokens
        .into_iter()
        .flat_map(|token| token.permissions)
        .filter(|permission| seen.insert(*permission))
        .collect())
}

/// Whether the caller may put `permissions` into a new authorization (auth-and-resources 5.2,
/// step 8): each is judged by the organization that its object really belongs to. What the
/// permissions say about organizations is step 10, and not judged here.
pub async fn check_grant(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    permissions: &[Permission],
) -> Result<(), GainError> {
    let objects = find_objects(transaction, permissions).await?;
    refuse(first_not_granted(
        &caller.permissions,
        permissions,
        &objects,
    ))
}

/// Whether the caller holds all that a session of `user` holds (auth-and-resources 4.9):
/// `with_tokens` for a new password, without for a new status and for deletion.
pub async fn check_gain_user(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    user: UserId,
    with_tokens: bool,
) -> Result<(), GainError> {
    let own = own_permissions(transaction, user).await?;
    check_given(transaction, caller, &own).await?;
    // Whoever holds everything need not look, however many tokens there are.
    if with_tokens && caller.missing_for_operator().is_some() {
        let tokens = token_permissions(transaction, user).await?;
        check_given(transaction, caller, &tokens).await?;
    }
    Ok(())
}

/// Whether the caller holds all that an authorization holds (auth-and-resources 4.9): for the
/// password of a 1.x user, and for showing a token.
pub async fn check_gain_authorization(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    authorization: &Authorization,
) -> Result<(), GainError> {
    check_given(transaction, caller, &authorization.permissions).await
}

/// Whether the caller holds what being `role` of something gives (auth-and-resources 4.9): for new
/// members and owners.
pub async fn check_gain_role(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    of: MemberOf,
    role: Role,
) -> Result<(), GainError> {
    check_given(transaction, caller, &Permission::of_role(of, role)).await
}

async fn check_given(
    transaction: &mut dyn Transaction,
    caller: &Caller,
    given: &[Permission],
) -> Result<(), GainError> {
    if caller.missing_for_operator().is_none() {
        return Ok(());
    }
    let objects = find_objects(transaction, given).await?;
    refuse(first_not_given(&caller.permissions, given, &objects))
}

fn refuse(not_held: Option<Permission>) -> Result<(), GainError> {
    not_held.map_or(Ok(()), |permission| Err(GainError::NotHeld(permission)))
}

/// Looks up what the permissions name.
async fn find_objects(
    transaction: &mut dyn Transaction,
    permissions: &[Permission],
) -> StoreResult<Objects> {
    let mut objects = Objects::default();
    for (resource, id) in Objects::named_in(permissions) {
        objects.note(resource, id, home(transaction, resource, id).await?);
    }
    Ok(objects)
}

async fn home(
    transaction: &mut dyn Transaction,
    resource: ResourceType,
    id: AnyId,
) -> StoreResult<Home> {
    let number = id.get();
    let org = match resource {
        ResourceType::Users => match UserId::new(number) {
            Some(id) if transaction.users().find(id).await?.is_some() => {
                return Ok(Home::Instance);
            }
            _ => None,
        },
        ResourceType::Orgs => match OrgId::new(number) {
            Some(id) if transaction.organizations().find(id).await?.is_some() => {
                return Ok(Home::Instance);
            }
            _ => None,
        },
        ResourceType::Buckets => match BucketId::new(number) {
            Some(id) => transaction.buckets().find(id).await?.map(|b| b.org),
            None => None,
        },
        ResourceType::Labels => match LabelId::new(number) {
            Some(id) => transaction.labels().find(id).await?.map(|l| l.org),
            None => None,
        },
        ResourceType::Authorizations => match AuthorizationId::new(number) {
            Some(id) => authorization_org(transaction, id).await?,
            None => None,
        },
        // `Objects::named_in` names no others.
        _ => None,
    };
    Ok(org.map_or(Home::Gone, Home::In))
}

/// The organization of the API token or 1.x user with this id.
async fn authorization_org(
    transaction: &mut dyn Transaction,
    id: AuthorizationId,
) -> StoreResult<Option<OrgId>> {
    for kind in [AuthorizationKind::ApiToken, AuthorizationKind::V1User] {
        if let Some(found) = transaction.authorizations().find(kind, id).await? {
            return Ok(Some(found.org));
        }
    }
    Ok(None)
}
