-- What the images of a group meant when its newest version began: it runs these, wherever and however often it is
-- started, until a new version asks what the names mean by then. Images by the name the group gives them; no row: its
-- node decides, and tells.
create table group_images (
    group_key integer not null,
    image text not null,
    digest text not null,
    primary key (group_key, image)
) without rowid;
