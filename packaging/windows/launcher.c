/* sendoff.exe and sendoff-window.exe: what python.exe does, with the words "-m sendoff" put in before those of the
   person. Python is in this very process, so that Windows shows one program, with our name and icon, and ends it when
   it is ended. Python's library and everything else come from the folder of the launcher, whatever PATH says. */
#include <windows.h>
#include <wchar.h>

typedef int (*Main)(int, wchar_t **);

static int fail(const wchar_t *what) {
    MessageBoxW(NULL, what, L"Sendoff", MB_OK | MB_ICONERROR);
    return 70;
}

int wmain(int argc, wchar_t **argv) {
    static wchar_t path[32768];
    DWORD length = GetModuleFileNameW(NULL, path, 32768 - 64);
    wchar_t *last = wcsrchr(path, L'\\');
    if (length == 0 || last == NULL) return fail(L"Sendoff does not find its own folder. Install it again.");
    wcscpy(last + 1, PYTHON_DLL);
    HMODULE python = LoadLibraryExW(path, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);
    Main run = python ? (Main)(void *)GetProcAddress(python, "Py_Main") : NULL;
    if (run == NULL) return fail(L"A part of Sendoff is missing. Install it again; your posts are kept.");
    static wchar_t *before[] = {L"-X", L"utf8", L"-m", L"sendoff"};
    wchar_t **words = (wchar_t **)HeapAlloc(GetProcessHeap(), 0, (argc + 5) * sizeof *words);
    if (words == NULL) return fail(L"There is too little memory to start Sendoff.");
    int count = 0;
    words[count++] = argc ? argv[0] : L"sendoff";
    for (int i = 0; i < 4; i++) words[count++] = before[i];
    for (int i = 1; i < argc; i++) words[count++] = argv[i];
    words[count] = NULL;
    return run(count, words);
}
