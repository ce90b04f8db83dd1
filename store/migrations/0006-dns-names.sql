-- Names of groups below the DNS zone, by dnsNameLabel: `label.location`, or `label.hash.location`. group_key null: nobody
-- has it any more, and the outside server may still show it. address: what the name stands for, null while the
-- group has none. sent: what the outside server was told last; '?': it may have been told anything.
create table dns_names (
    name text primary key collate nocase,
    parent text not null collate nocase,
    location text not null collate nocase,
    group_key integer,
    address text,
    sent text,
    revision integer not null
) without rowid;
create unique index dns_names_of_group on dns_names (group_key) where group_key is not null;
create index dns_names_parent on dns_names (parent) where group_key is not null;
create index dns_names_location on dns_names (location) where group_key is not null;
create index dns_names_unsent on dns_names (revision) where address is not sent;
