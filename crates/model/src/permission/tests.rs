//! Permissions against a small, obviously right model: a world with a few things in it, and all
//! requests that can be made there. What a permission is worth is the set of requests that it
//! lets through, put together from what lies where in the world.

use proptest::prelude::*;

use super::*;
use crate::{MemberOf, Role, UserId};

/// Ids in the world. Organizations `A` and `B` are their own homes.
const A: u64 = 1;
const B: u64 = 2;
/// Of every type there is one thing in each organization, and one that is not there (yet).
const IN_A: u64 = 3;
const IN_B: u64 = 4;
const NOT_THERE: u64 = 5;

/// Where the thing that may come to be comes to be, if it does.
#[derive(Debug, Clone, Copy)]
struct World {
    late: Option<u64>,
}

/// Something that somebody asks for: an action on a thing, on all of an organization, or on
/// everything of a type.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Request {
    action: Action,
    resource: ResourceType,
    thing: Option<u64>,
    /// The organization that the endpoint names when it asks for the permission.
    within: Option<u64>,
}

impl World {
    /// The organization that a thing lies in.
    fn org_of(self, thing: u64) -> Option<u64> {
        match thing {
            IN_A => Some(A),
            IN_B => Some(B),
            NOT_THERE => self.late,
            _ => None,
        }
    }

    /// The things of a type.
    fn things(self, resource: ResourceType) -> Vec<u64> {
        let mut things = if resource == ResourceType::Orgs {
            vec![A, B]
        } else {
            vec![IN_A, IN_B]
        };
        if self.late.is_some() {
            things.push(NOT_THERE);
        }
        things
    }

    /// All that can be asked for (auth-and-resources 4.7).
    fn requests(self) -> Vec<Request> {
        let mut all = Vec::new();
        for action in [Action::Read, Action::Write] {
            for resource in ResourceType::ALL.iter().copied() {
                let mut ask = |thing, within| {
                    all.push(Request {
                        action,
                        resource,
                        thing,
                        within,
                    });
                };
                ask(None, None);
                for thing in self.things(resource) {
                    match resource {
                        ResourceType::Instance => {}
                        // Users belong to nobody; organizations go by id, their members' lists
                        // by both.
                        ResourceType::Users => ask(Some(thing), None),
                        ResourceType::Orgs => {
                            ask(Some(thing), None);
                            ask(Some(thing), Some(thing));
                        }
                        _ => ask(Some(thing), self.org_of(thing)),
                    }
                }
                if !matches!(
                    resource,
                    ResourceType::Users | ResourceType::Orgs | ResourceType::Instance
                ) {
                    ask(None, Some(A));
                    ask(None, Some(B));
                }
            }
        }
        all
    }

    /// Which of `requests` a permission lets through.
    fn worth(self, permission: &Permission, requests: &[Request]) -> Vec<bool> {
        let (org, id) = (
            permission.org.map(OrgId::get),
            permission.id.map(AnyId::get),
        );
        let lets_through = |request: &Request| {
            if permission.action != request.action {
                return false;
            }
            if permission.resource == ResourceType::Instance {
                return true;
            }
            if permission.resource != request.resource {
                return false;
            }
            match (org, id) {
                (None, None) => true,
                (Some(org), None) => request.within == Some(org),
                (None, Some(id)) => request.thing == Some(id),
                // A thing under an organization's name: under a foreign one it is nothing.
                (Some(org), Some(id)) => {
                    let foreign = request.within.is_some_and(|within| within != org);
                    request.thing == Some(id) && !foreign
                }
            }
        };
        requests.iter().map(lets_through).collect()
    }

    fn worth_of_all(self, held: &[Permission], requests: &[Request]) -> Vec<bool> {
        held.iter().fold(vec![false; requests.len()], |all, p| {
            let more = self.worth(p, requests);
            all.iter().zip(more).map(|(a, b)| *a || b).collect()
        })
    }

    /// What a look-up finds.
    fn objects(self, permissions: &[Permission]) -> Objects {
        let mut objects = Objects::default();
        for (resource, id) in Objects::named_in(permissions) {
            let is_there = self.things(resource).contains(&id.get());
            let home = match resource {
                _ if !is_there => Home::Gone,
                ResourceType::Users | ResourceType::Orgs => Home::Instance,
                _ => self
                    .org_of(id.get())
                    .and_then(OrgId::new)
                    .map_or(Home::Gone, Home::In),
            };
            objects.note(resource, id, home);
        }
        objects
    }
}

fn is_within(part: &[bool], whole: &[bool]) -> bool {
    part.iter().zip(whole).all(|(part, whole)| !part || *whole)
}

impl Request {
    fn required(self) -> Permission {
        Permission {
            action: self.action,
            resource: self.resource,
            org: self.within.and_then(OrgId::new),
            id: self.thing.and_then(AnyId::new),
        }
    }
}

/// Every permission that can be written down in the world.
fn all_permissions() -> Vec<Permission> {
    let mut all = Vec::new();
    for action in [Action::Read, Action::Write] {
        for resource in ResourceType::ALL.iter().copied() {
            let things = match resource {
                ResourceType::Orgs => [0, A, B, NOT_THERE],
                _ => [0, IN_A, IN_B, NOT_THERE],
            };
            for org in [0, A, B, NOT_THERE] {
                for thing in things {
                    all.push(Permission {
                        action,
                        resource,
                        org: OrgId::new(org),
                        id: AnyId::new(thing),
                    });
                }
            }
        }
    }
    all
}

const WORLDS: [World; 3] = [
    World { late: None },
    World { late: Some(A) },
    World { late: Some(B) },
];

#[test]
fn a_permission_lets_through_what_the_model_says() {
    for world in WORLDS {
        let requests = world.requests();
        for held in all_permissions() {
            let worth = world.worth(&held, &requests);
            for (request, expected) in requests.iter().zip(worth) {
                let required = request.required();
                assert_eq!(
                    allows(&[held], &required),
                    expected,
                    "{held} for {required}"
                );
            }
        }
    }
}

/// Checks the decision on granting and on giving `wanted` by somebody who holds `held`.
fn check(held: &[Permission], wanted: &Permission) {
    let world = WORLDS[0];
    let requests = world.requests();
    let objects = world.objects(&[*wanted]);
    let granted = first_not_granted(held, &[*wanted], &objects).is_none();
    let given = first_not_given(held, &[*wanted], &objects).is_none();
    // What is granted is worth no more than what is held, now and when things come to be.
    for world in WORLDS {
        let requests = world.requests();
        let is_held = is_within(
            &world.worth(wanted, &requests),
            &world.worth_of_all(held, &requests),
        );
        assert!(!granted || is_held, "{held:?} grants {wanted}");
    }
    let worth = world.worth(wanted, &requests);
    let is_held = is_within(&worth, &world.worth_of_all(held, &requests));
    let for_operators = wanted.resource == ResourceType::Instance;
    assert!(
        !given || is_held || for_operators,
        "{held:?} gives {wanted}"
    );
    // And what is worth something and held is not refused, where it is known where things are. An
    // organization under its own name is asked for by nobody but with its id, and under another's
    // name it is refused for the oddity.
    let is_odd = wanted.resource == ResourceType::Orgs
        && wanted
            .org
            .map(AnyId::from)
            .is_some_and(|org| wanted.id != Some(org));
    let is_known = match wanted.id {
        _ if is_odd => false,
        Some(_) => wanted.org.is_some() || Objects::LOOKED_UP.contains(&wanted.resource),
        None => true,
    };
    let is_something = is_known && worth.contains(&true);
    assert!(
        granted || !is_something || !is_held,
        "{held:?} may grant {wanted}"
    );
    assert!(
        given || !is_something || !is_held,
        "{held:?} may give {wanted}"
    );
    // What is gone is nothing to take, but to be had type-wide only.
    let thing = wanted.id.map(AnyId::get);
    if thing == Some(NOT_THERE) && Objects::LOOKED_UP.contains(&wanted.resource) {
        assert!(given, "{wanted} is gone");
        let wide = Permission::on_type(wanted.action, wanted.resource);
        assert_eq!(granted, allows(held, &wide), "{held:?} waits for {wanted}");
    }
}

#[test]
fn nobody_grants_or_gives_more_than_one_permission_holds() {
    let all = all_permissions();
    for held in &all {
        for wanted in &all {
            // Different actions and types have nothing to do with each other: one stands for all.
            let related = held.resource == wanted.resource
                || held.resource == ResourceType::Instance
                || wanted.resource == ResourceType::Instance
                || (held.resource, wanted.resource) == (ResourceType::Buckets, ResourceType::Orgs);
            if related {
                check(&[*held], wanted);
            }
        }
    }
}

#[test]
fn nobody_grants_or_gives_more_than_a_named_set_holds() {
    let (a, b) = (OrgId::new(A).unwrap(), OrgId::new(B).unwrap());
    let user = UserId::new(IN_A).unwrap();
    let sets = [
        Permission::operator(),
        Permission::instance(),
        Permission::org_owner(a),
        Permission::org_member(b),
        [Permission::org_owner(a), Permission::org_owner(b)].concat(),
        Permission::bucket_member(crate::BucketId::new(IN_B).unwrap()),
        Permission::me(user),
        Vec::new(),
    ];
    for held in &sets {
        for wanted in all_permissions() {
            check(held, &wanted);
        }
    }
}

#[test]
fn operators_give_even_the_instance_but_do_not_grant_it() {
    let instance = Permission::instance();
    let nothing = Objects::default();
    let operator = Permission::operator();
    assert_eq!(first_not_given(&operator, &instance, &nothing), None);
    assert_eq!(
        first_not_granted(&operator, &instance, &nothing),
        Some(instance[0])
    );
    let without_one = &operator[1..];
    assert_eq!(missing_for_operator(without_one), Some(operator[0]));
    assert_eq!(
        first_not_given(without_one, &instance, &nothing),
        Some(instance[0])
    );
    assert_eq!(missing_for_operator(&instance), None);
}

#[test]
fn owners_and_members_hold_all_of_their_organization_and_nothing_else() {
    let world = WORLDS[0];
    let requests = world.requests();
    for (role, writes) in [(Role::Owner, true), (Role::Member, false)] {
        let of = MemberOf::Organization(OrgId::new(A).unwrap());
        let worth = world.worth_of_all(&Permission::of_role(of, role), &requests);
        for (request, has) in requests.iter().zip(worth) {
            let is_the_org = request.resource == ResourceType::Orgs && request.thing == Some(A);
            let expected = (request.within == Some(A) || is_the_org)
                && (writes || request.action == Action::Read);
            assert_eq!(has, expected, "{role:?}: {}", request.required());
        }
    }
}

/// One act of somebody, by number: they grant some permissions to a new holder, or something
/// comes to be.
#[derive(Debug, Clone)]
struct Act {
    actor: usize,
    wanted: Vec<usize>,
}

proptest! {
    #[test]
    fn no_sequence_of_grants_yields_more_than_the_first_held(
        first in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        acts in prop::collection::vec(
            (any::<usize>(), prop::collection::vec(any::<usize>(), 1..3))
                .prop_map(|(actor, wanted)| Act { actor, wanted }),
            1..12,
        ),
        comes_after in 0_usize..12,
        late in prop::sample::select(vec![A, B]),
    ) {
        let all = all_permissions();
        let held: Vec<Permission> = first.iter().map(|i| *i.get(&all)).collect();
        // Only what has to do with what is held is worth trying.
        let candidates: Vec<Permission> = all
            .iter()
            .filter(|p| held.iter().any(|h| h.action == p.action
                && (h.resource == p.resource || h.resource == ResourceType::Instance)))
            .copied()
            .collect();
        let mut holders = vec![held.clone()];
        for (step, act) in acts.iter().enumerate() {
            let late = (step >= comes_after).then_some(late);
            let world = World { late };
            let wanted: Vec<Permission> =
                act.wanted.iter().map(|w| candidates[w % candidates.len()]).collect();
            let actor = &holders[act.actor % holders.len()];
            if first_not_granted(actor, &wanted, &world.objects(&wanted)).is_none() {
                holders.push(wanted);
            }
        }
        for world in [World { late: None }, World { late: Some(late) }] {
            let requests = world.requests();
            let most = world.worth_of_all(&held, &requests);
            for holder in &holders {
                let worth = world.worth_of_all(holder, &requests);
                prop_assert!(is_within(&worth, &most), "{holder:?} out of {held:?}");
            }
        }
    }
}

fn permission(resource: ResourceType, org_id: u64, id: u64) -> Permission {
    Permission {
        action: Action::Read,
        resource,
        org: OrgId::new(org_id),
        id: AnyId::new(id),
    }
}

#[test]
fn matching_follows_the_table_of_the_contract() {
    use ResourceType::{Buckets, Orgs};
    let cases = [
        (permission(Buckets, 0, 0), permission(Buckets, 9, 7), true),
        (permission(Buckets, 1, 0), permission(Buckets, 1, 7), true),
        (permission(Buckets, 1, 0), permission(Buckets, 2, 7), false),
        (permission(Buckets, 1, 0), permission(Buckets, 0, 7), false),
        (permission(Buckets, 1, 7), permission(Buckets, 2, 7), false),
        (permission(Buckets, 0, 7), permission(Buckets, 1, 7), true),
        (permission(Buckets, 0, 7), permission(Buckets, 1, 0), false),
        (permission(Orgs, 1, 0), permission(Orgs, 0, 1), false),
    ];
    for (held, required, expected) in cases {
        assert_eq!(held.satisfies(&required), expected, "{held} for {required}");
    }
}

#[test]
fn writing_is_not_reading_and_instance_is_everything() {
    let write = Permission::on_type(Action::Write, ResourceType::Buckets);
    let read = Permission::on_type(Action::Read, ResourceType::Buckets);
    assert!(!write.satisfies(&read));
    assert!(Permission::on_type(Action::Read, ResourceType::Instance).satisfies(&read));
}

#[test]
fn permissions_print_as_in_messages() {
    let p = Permission {
        org: OrgId::new(1),
        ..permission(ResourceType::Buckets, 0, 2)
    };
    assert_eq!(
        p.to_string(),
        "read:orgs/0000000000000001/buckets/0000000000000002"
    );
}
