/*
 * What Rust's standard library takes its random numbers from, and Wine before version 9 lacks. For tests only: it is
 * put into Wine's system folder, and nowhere else.
 */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
  for (; length > 0x10000; data += 0x10000, length -= 0x10000)
    if (!RtlGenRandom(data, 0x10000)) return FALSE;
  return RtlGenRandom(data, (ULONG)length);
}
