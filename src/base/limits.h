/* limits.h: sizes that several rooms agree on. A limit of one module stands at the top of that module. */
#ifndef BH_BASE_LIMITS_H
#define BH_BASE_LIMITS_H

#define BH_PATH_BYTES_MAX 4096u                 /* longest path taken from an image (PATH_MAX) */
#define BH_NAME_BYTES_MAX 512u                  /* package names, ids: nothing real is longer */
#define BH_VERSION_BYTES_MAX 512u               /* version strings */
#define BH_LAYERS_MAX 512u                      /* Docker allows 127; builders have written more */
#define BH_JSON_DEPTH_MAX 64u                   /* deepest real document: about 20 */
#define BH_MANIFEST_BYTES_MAX (16u << 20)       /* manifests, indexes, image configurations; registries cap at 4 MiB */
#define BH_FRAME_BYTES_MAX (1u << 20)           /* one message between parent and child */
#define BH_WANTED_FILE_BYTES_MAX (256u << 20)   /* largest single file a parser is given whole */
#define BH_LAYER_BYTES_MAX (64ull << 30)        /* one layer, uncompressed */

#endif
