//! Labels, and which buckets bear them.

use async_trait::async_trait;
use influxd_model::{BucketId, Label, LabelId, OrgId};
use influxd_store::columns::{
    label_filter_key, label_key, properties_from_text, properties_to_text, refuse_nul,
};
use influxd_store::{LabelFilter, LabelRepository, Result, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, SqliteConnection};

use super::{BUCKET, LABEL, ORGANIZATION, column, must_change, must_exist, remove};
use crate::chunks::json_list;
use crate::error::{corrupt, store_error};

pub(super) struct Labels<'c>(pub(super) &'c mut SqliteConnection);

pub(super) fn label(row: &SqliteRow) -> Result<Label> {
    let zero = || corrupt("label", "an id of it is zero");
    Ok(Label {
        id: LabelId::from_column(column(row, "id")?).ok_or_else(zero)?,
        org: OrgId::from_column(column(row, "org_id")?).ok_or_else(zero)?,
        name: column(row, "name")?,
        properties: properties_from_text(column(row, "properties")?)?,
    })
}

#[async_trait]
impl LabelRepository for Labels<'_> {
    #[tracing::instrument(name = "db.label.find", skip_all)]
    async fn find(&mut self, id: LabelId) -> Result<Option<Label>> {
        let row = sqlx::query("SELECT id, org_id, name, properties FROM labels WHERE id = ?")
            .bind(id.to_column())
            .fetch_optional(&mut *self.0)
            .await
            .map_err(store_error)?;
        row.as_ref().map(label).transpose()
    }

    #[tracing::instrument(name = "db.label.list", skip_all)]
    async fn list(&mut self, filter: &LabelFilter) -> Result<Vec<Label>> {
        let mut query =
            QueryBuilder::new("SELECT id, org_id, name, properties FROM labels WHERE true");
        if let Some(org) = filter.org {
            query.push(" AND org_id = ").push_bind(org.to_column());
        }
        if let Some(name) = &filter.name {
            query.push(" AND name_key = ");
            query.push_bind(label_filter_key(name).to_vec());
        }
        query.push(" ORDER BY id");
        let rows = query.build().fetch_all(&mut *self.0).await;
        rows.map_err(store_error)?.iter().map(label).collect()
    }

    #[tracing::instrument(name = "db.label.insert", skip_all)]
    async fn insert(&mut self, new: &Label) -> Result<()> {
        refuse_nul(&[&new.name])?;
        let org = new.org.to_column();
        must_exist(self.0, ORGANIZATION, org).await?;
        let insert = sqlx::query(
            "INSERT INTO labels (id, org_id, name, name_key, properties)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(new.id.to_column())
        .bind(org)
        .bind(&new.name)
        .bind(label_key(&new.name).to_vec())
        .bind(properties_to_text(&new.properties));
        insert.execute(&mut *self.0).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.label.update", skip_all)]
    async fn update(&mut self, changed: &Label) -> Result<()> {
        refuse_nul(&[&changed.name])?;
        let sql = "UPDATE labels SET name = ?, name_key = ?, properties = ? WHERE id = ?";
        let update = sqlx::query(sql)
            .bind(&changed.name)
            .bind(label_key(&changed.name).to_vec())
            .bind(properties_to_text(&changed.properties))
            .bind(changed.id.to_column());
        let done = update.execute(&mut *self.0).await.map_err(store_error)?;
        must_change(&done, "label")
    }

    #[tracing::instrument(name = "db.label.delete", skip_all)]
    async fn delete(&mut self, id: LabelId) -> Result<()> {
        let id = id.to_column();
        remove(self.0, "DELETE FROM bucket_labels WHERE label_id = ?", id).await?;
        if remove(self.0, "DELETE FROM labels WHERE id = ?", id).await? == 0 {
            return Err(StoreError::NotFound("label"));
        }
        Ok(())
    }

    #[tracing::instrument(name = "db.label.of_buckets", skip_all)]
    async fn of_buckets(&mut self, buckets: &[BucketId]) -> Result<Vec<(BucketId, Label)>> {
        let rows = sqlx::query(
            "SELECT b.bucket_id, l.id, l.org_id, l.name, l.properties
             FROM bucket_labels b JOIN labels l ON l.id = b.label_id
             WHERE b.bucket_id IN (SELECT value FROM json_each(?)) ORDER BY b.bucket_id, l.id",
        )
        .bind(json_list(buckets.iter().map(|id| id.to_column())))
        .fetch_all(&mut *self.0)
        .await
        .map_err(store_error)?;
        rows.iter()
            .map(|row| {
                let bucket = BucketId::from_column(column(row, "bucket_id")?)
                    .ok_or_else(|| corrupt("label", "its bucket's id is zero"))?;
                Ok((bucket, label(row)?))
            })
            .collect()
    }

    #[tracing::instrument(name = "db.label.attach", skip_all)]
    async fn attach(&mut self, bucket: BucketId, label: LabelId) -> Result<()> {
        let (bucket, label) = (bucket.to_column(), label.to_column());
        must_exist(self.0, BUCKET, bucket).await?;
        must_exist(self.0, LABEL, label).await?;
        let insert = sqlx::query("INSERT INTO bucket_labels (bucket_id, label_id) VALUES (?, ?)")
            .bind(bucket)
            .bind(label);
        insert.execute(&mut *self.0).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.label.detach", skip_all)]
    async fn detach(&mut self, bucket: BucketId, label: LabelId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM bucket_labels WHERE bucket_id = ? AND label_id = ?")
            .bind(bucket.to_column())
            .bind(label.to_column())
            .execute(&mut *self.0)
            .await
            .map_err(store_error)?;
        Ok(done.rows_affected() > 0)
    }
}
