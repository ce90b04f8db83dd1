#include "scheduler/key_map.h"

#include "base/err.h"

void key_map_done(struct key_map *map)
{
    free(map->cells);
    *map = (struct key_map){0};
}

static size_t home_of(const struct key_map *map, int64_t key)
{
    return (size_t)((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (map->capacity - 1);
}

/* Where the key is, or the free cell where it would be. */
static size_t cell_of(const struct key_map *map, int64_t key)
{
    size_t at = home_of(map, key);
    while (map->cells[at].key != 0 && map->cells[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

static bool grow(struct key_map *map)
{
    struct key_map larger = {.capacity = map->capacity ? map->capacity * 2 : 64};
    larger.cells = calloc(larger.capacity, sizeof *larger.cells);
    if (!larger.cells)
        return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->cells[i].key != 0)
            larger.cells[cell_of(&larger, map->cells[i].key)] = map->cells[i];
    larger.count = map->count;
    free(map->cells);
    *map = larger;
    return true;
}

bool key_map_put(struct key_map *map, int64_t key, uint32_t value)
{
    CHECK(key != 0);
    if ((map->count + 1) * 4 > map->capacity * 3 && !grow(map))
        return false;
    size_t at = cell_of(map, key);
    map->count += map->cells[at].key == 0;
    map->cells[at] = (struct key_map_cell){key, value};
    return true;
}

int64_t key_map_find(const struct key_map *map, int64_t key)
{
    if (map->count == 0)
        return KEY_MAP_NONE;
    size_t at = cell_of(map, key);
    return map->cells[at].key == 0 ? KEY_MAP_NONE : (int64_t)map->cells[at].value;
}

/* Those behind the hole move up, as far as their home allows, so that no search ends too early. */
void key_map_remove(struct key_map *map, int64_t key)
{
    if (key_map_find(map, key) == KEY_MAP_NONE)
        return;
    size_t mask = map->capacity - 1, hole = cell_of(map, key);
    for (size_t at = (hole + 1) & mask; map->cells[at].key != 0; at = (at + 1) & mask) {
        size_t home = home_of(map, map->cells[at].key);
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->cells[hole] = map->cells[at];
        hole = at;
    }
    map->cells[hole].key = 0;
    map->count--;
}
