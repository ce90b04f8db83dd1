-- The images that nodes hold, by the names under which they were fetched. open = 1: fetched without a credential, so
-- its name may be shown to everyone.
create table node_images (
    node_key integer not null,
    image text not null,
    digest text not null,
    open integer not null,
    primary key (node_key, image)
) without rowid;
-- Lists of a location walk along the names.
create index node_images_open on node_images (image, node_key) where open = 1;
