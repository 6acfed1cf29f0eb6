//! Typed look-ups in the directory.

use crate::engine::Engine;
use crate::error::Error;
use strongroom_domain::directory::{DirectoryObject, ObjectKind};
use strongroom_domain::id::{OrganisationId, looks_like_identity};
use strongroom_domain::port::{DirectoryReader, ObjectQuery, ObjectSelector, ReadError};
use uuid::Uuid;

/// A kind of object, by its type.
pub(crate) trait Kind: TryFrom<DirectoryObject> + Into<DirectoryObject> + Clone + Send + Sync {
    const KIND: ObjectKind;

    /// Reads the identity as it is written.
    fn parse_id(text: &str) -> Option<Uuid>;

    /// The identity as it is written.
    fn identity(&self) -> String;

    /// The slug, for kinds that can be named by it.
    fn slug(&self) -> Option<&str>;
}

macro_rules! kinds {
    ($($name:ident, $id:ident $(, $slug:ident)?;)*) => {$(
        impl Kind for strongroom_domain::directory::$name {
            const KIND: ObjectKind = ObjectKind::$name;

            fn parse_id(text: &str) -> Option<Uuid> {
                text.parse().ok().map(strongroom_domain::id::$id::uuid)
            }

            fn identity(&self) -> String {
                self.id.to_string()
            }

            fn slug(&self) -> Option<&str> {
                kinds!(@slug self $($slug)?)
            }
        }
    )*};
    (@slug $object:ident) => { None };
    (@slug $object:ident $slug:ident) => { Some(&$object.named.$slug) };
}

kinds! {
    User, UserId;
    OrganisationMember, MemberId;
    Team, TeamId, slug;
    TeamMember, TeamMemberId;
    ServiceAccount, ServiceAccountId, slug;
    AccessCredential, CredentialId;
    Role, RoleId, slug;
    Binding, BindingId, slug;
    IdentityProvider, ProviderId;
    FederatedIdentity, FederatedIdentityId, slug;
    Project, ProjectId, slug;
}

/// The objects of a kind that a selector picks.
pub(crate) async fn select<T: Kind>(
    reader: &dyn DirectoryReader,
    organisation: Option<OrganisationId>,
    which: ObjectSelector,
) -> Result<Vec<T>, ReadError> {
    if matches!(&which, ObjectSelector::Ids(ids) | ObjectSelector::About(ids) if ids.is_empty()) {
        return Ok(Vec::new());
    }
    let found = reader.objects(&ObjectQuery { kind: T::KIND, organisation, which }).await?;
    Ok(found.into_iter().filter_map(|object| object.try_into().ok()).collect())
}

impl Engine {
    /// The objects of a kind that a selector picks.
    pub(crate) async fn objects<T: Kind>(
        &self,
        organisation: Option<OrganisationId>,
        which: ObjectSelector,
    ) -> Result<Vec<T>, Error> {
        Ok(select(self.ports.directory.as_ref(), organisation, which).await?)
    }

    /// The object of this identity.
    pub(crate) async fn object_by_id<T: Kind>(
        &self,
        organisation: Option<OrganisationId>,
        id: Uuid,
    ) -> Result<Option<T>, Error> {
        Ok(self.objects(organisation, ObjectSelector::Ids(vec![id])).await?.pop())
    }

    /// The object of this handle: a slug, for most kinds.
    pub(crate) async fn object_by_handle<T: Kind>(
        &self,
        organisation: Option<OrganisationId>,
        handle: &str,
    ) -> Result<Option<T>, Error> {
        Ok(self.objects(organisation, ObjectSelector::Handle(handle.to_owned())).await?.pop())
    }

    /// The object that a URL, header or parameter names by identity or slug; an identity wins over an equal slug.
    pub(crate) async fn object_named<T: Kind>(
        &self,
        organisation: OrganisationId,
        name: &str,
    ) -> Result<Option<T>, Error> {
        if let Some(id) = T::parse_id(name)
            && let Some(found) = self.object_by_id(Some(organisation), id).await?
        {
            return Ok(Some(found));
        }
        // Once the object of an identity is gone, nothing takes its place by a slug that was chosen like it.
        if looks_like_identity(name) {
            return Ok(None);
        }
        let found: Option<T> = self.object_by_handle(Some(organisation), name).await?;
        Ok(found.filter(|found| found.slug() == Some(name)))
    }

    /// The parts of an object: the bindings of a role, the members of a team, the credentials of a service account.
    pub(crate) async fn parts_of<T: Kind>(&self, organisation: OrganisationId, parent: Uuid) -> Result<Vec<T>, Error> {
        self.objects(Some(organisation), ObjectSelector::PartsOf(parent)).await
    }
}
