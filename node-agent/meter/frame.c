#include "node-agent/meter/frame.h"

#include "base/err.h"

#include <string.h>

/* CRC-32 of IEEE 802.3, four bits at a time: short, and fast enough for a few kilobytes a second. */
static uint32_t crc_of(const unsigned char *bytes, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc = table[(crc ^ bytes[i]) & 15] ^ crc >> 4;
        crc = table[(crc ^ bytes[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

static void put_u32(unsigned char *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(value >> 8 * i);
}

static uint32_t get_u32(const unsigned char *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

void pack_number(struct packer *packer, int64_t value)
{
    CHECK(packer->size + 8 <= sizeof packer->bytes);
    put_u32(packer->bytes + packer->size, (uint32_t)(uint64_t)value);
    put_u32(packer->bytes + packer->size + 4, (uint32_t)((uint64_t)value >> 32));
    packer->size += 8;
}

void pack_text(struct packer *packer, const char *text)
{
    size_t size = strlen(text);
    CHECK(size < 256 && packer->size + 1 + size <= sizeof packer->bytes);
    packer->bytes[packer->size] = (unsigned char)size;
    memcpy(packer->bytes + packer->size + 1, text, size);
    packer->size += 1 + size;
}

void frame_add(struct text *out, int kind, const struct packer *packer)
{
    unsigned char record[FRAME_HEADER + 1 + FRAME_MAX];
    put_u32(record, (uint32_t)packer->size + 1);
    record[FRAME_HEADER] = (unsigned char)kind;
    memcpy(record + FRAME_HEADER + 1, packer->bytes, packer->size);
    put_u32(record + 4, crc_of(record + FRAME_HEADER, packer->size + 1));
    text_add_n(out, (const char *)record, FRAME_HEADER + 1 + packer->size);
}

int64_t unpack_number(struct unpacker *unpacker)
{
    if (unpacker->left < 8) {
        unpacker->failed = true;
        return 0;
    }
    uint64_t value = get_u32(unpacker->at) | (uint64_t)get_u32(unpacker->at + 4) << 32;
    unpacker->at += 8;
    unpacker->left -= 8;
    return (int64_t)value;
}

void unpack_text(struct unpacker *unpacker, char *out, size_t size)
{
    out[0] = '\0';
    size_t length = unpacker->left > 0 ? unpacker->at[0] : 0;
    if (unpacker->left < 1 + length || length >= size || memchr(unpacker->at + 1, '\0', length)) {
        unpacker->failed = true;
        return;
    }
    memcpy(out, unpacker->at + 1, length);
    out[length] = '\0';
    unpacker->at += 1 + length;
    unpacker->left -= 1 + length;
}

size_t frames_read(const char *bytes, size_t size, frame_fn *each, void *context)
{
    const unsigned char *all = (const unsigned char *)bytes;
    size_t at = 0;
    while (size - at > FRAME_HEADER) {
        const unsigned char *record = all + at;
        size_t length = get_u32(record);
        if (length == 0 || length > FRAME_MAX + 1 || length > size - at - FRAME_HEADER ||
            crc_of(record + FRAME_HEADER, length) != get_u32(record + 4))
            break;
        struct unpacker payload = {record + FRAME_HEADER + 1, length - 1, false};
        if (!each(record[FRAME_HEADER], &payload, context))
            break;
        at += FRAME_HEADER + length;
    }
    return at;
}
