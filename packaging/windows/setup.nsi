; The installer for Windows: for one person, without an administrator. Made by make.sh, which sets VERSION, NUMBERS,
; STAGE, ICON, OUT and APP_ID.
;   setup.exe /S [/D=C:\folder]     installs or updates without a question; /D must be the last word, and unquoted
;   uninstall.exe /S [/PURGE]       removes it again; with /PURGE the person's posts, settings and keys too
; Ends with 4 where a Sendoff is running that does not quit, or that it can't ask: nothing is changed then.
Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
SetCompressorDictSize 64
ManifestDPIAware true
ManifestSupportedOS Win10

!include LogicLib.nsh
!include FileFunc.nsh
!include MUI2.nsh
!include Win\COM.nsh
!include Win\Propkey.nsh
!include WinVer.nsh

!define NAME "Sendoff"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define APPROVED "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
!define DATA "$LOCALAPPDATA\sendoff"
!define WINDOW "sendoff-window.exe"
!define STILL_RUNNING 4

Name "${NAME}"
OutFile "${OUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\${NAME}"
InstallDirRegKey HKCU "${UNINSTALL}" "InstallLocation"
BrandingText "${NAME} ${VERSION}"
ShowInstDetails nevershow
ShowUninstDetails nevershow

VIProductVersion "${NUMBERS}"
VIFileVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${NAME} setup"
VIAddVersionKey "CompanyName" "The Sendoff developers"
VIAddVersionKey "LegalCopyright" "MIT licence"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\app\${WINDOW}"
!define MUI_FINISHPAGE_RUN_TEXT "Open ${NAME}"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Var Running
Var HasQuit
Var Purge

; Whether one of the two programs runs ($Running: yes or no): Windows lets nobody write to a program that does.
!macro LookWhetherItRuns
  StrCpy $Running no
  ${For} $R0 1 2
    StrCpy $R1 "$INSTDIR\app\sendoff.exe"
    ${If} $R0 = 2
      StrCpy $R1 "$INSTDIR\app\${WINDOW}"
    ${EndIf}
    ${If} ${FileExists} "$R1"
      ClearErrors
      FileOpen $R2 "$R1" a
      ${If} ${Errors}
        StrCpy $Running yes
      ${Else}
        FileClose $R2
      ${EndIf}
    ${EndIf}
  ${Next}
!macroend

; Asks the window that is open to quit; it is the one of the profile that Sendoff has by itself, or that SENDOFF_HOME
; names. Those of other profiles (--home) are not known here, and a worker at a console is for whoever started it to end:
; where one of them runs, nothing is changed, and the window that has quit for this comes back.
!macro Quit verb
  StrCpy $HasQuit no
  !insertmacro LookWhetherItRuns
  ${If} $Running == yes
    DetailPrint "Sendoff is asked to quit; what is leaving may finish"
    nsExec::ExecToStack '"$INSTDIR\app\sendoff.exe" --quit'
    Pop $R0
    Pop $R4 ; its words: "Sendoff has quit." or "No Sendoff was open."
    StrCpy $R4 $R4 16
    ${If} $R4 == "Sendoff has quit"
      StrCpy $HasQuit yes
    ${EndIf}
    ; Windows lets go of the files a moment after the process has ended.
    ${For} $R3 1 40
      !insertmacro LookWhetherItRuns
      ${If} $Running == no
        ${Break}
      ${EndIf}
      Sleep 250
    ${Next}
    ${DoWhile} $Running == yes
      ; Without a question nothing is changed, so that nothing is half old and half new.
      ${IfNot} ${Cmd} `MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "Sendoff is still running, perhaps with another profile. Quit each from its icon beside the clock (a worker: at its console), then try again. Nothing was ${verb} so far." /SD IDCANCEL IDRETRY`
        !insertmacro GiveUp ${STILL_RUNNING}
      ${EndIf}
      !insertmacro LookWhetherItRuns
    ${Loop}
  ${EndIf}
!macroend

; What was sending before sends again.
!macro SendAgain
  ${If} $HasQuit == yes
    Exec '"$INSTDIR\app\${WINDOW}" --background'
  ${EndIf}
!macroend

; Ends with an exit code, the program being what it was before.
!macro GiveUp code
  !insertmacro SendAgain
  SetErrorLevel ${code}
  Quit
!macroend

; The start menu's entry, with the id by which task bar and notifications find name and icon.
!macro Entry path
  !insertmacro ComHlpr_CreateInProcInstance ${CLSID_ShellLink} ${IID_IShellLink} r0 ""
  ${If} $0 P<> 0
    ${IShellLink::SetPath} $0 '("$INSTDIR\app\${WINDOW}").r1'
    ${IShellLink::SetWorkingDirectory} $0 '("$PROFILE").r1'
    ${IShellLink::SetDescription} $0 '("Write a post once, and it leaves on time").r1'
    ${IUnknown::QueryInterface} $0 '("${IID_IPropertyStore}",.r1)'
    ${If} $1 P<> 0
      System::Call '*(&w64 "${APP_ID}")p.r4'
      System::Call '*${SYSSTRUCT_PROPERTYKEY}(${PKEY_AppUserModel_ID})p.r2'
      System::Call '*${SYSSTRUCT_PROPVARIANT}(${VT_LPWSTR},,p r4)p.r3'
      ${IPropertyStore::SetValue} $1 '($2,$3)'
      ${IPropertyStore::Commit} $1 ""
      System::Free $2
      System::Free $3
      System::Free $4
      ${IUnknown::Release} $1 ""
    ${EndIf}
    ${IUnknown::QueryInterface} $0 '("${IID_IPersistFile}",.r1)'
    ${If} $1 P<> 0
      ${IPersistFile::Save} $1 '("${path}",1)'
      ${IUnknown::Release} $1 ""
    ${EndIf}
    ${IUnknown::Release} $0 ""
  ${EndIf}
!macroend

Function .onInit
  ${IfNot} ${AtLeastWin10}
    MessageBox MB_OK|MB_ICONSTOP "Sendoff needs Windows 10 or newer." /SD IDOK
    SetErrorLevel 3
    Quit
  ${EndIf}
FunctionEnd

Section
  !insertmacro Quit "changed"
  ; The old version stands aside until the new one is there. Where a file of it is open, this fails, and it stays.
  RMDir /r "$INSTDIR\app.old"
  ${If} ${FileExists} "$INSTDIR\app\*.*"
    ClearErrors
    Rename "$INSTDIR\app" "$INSTDIR\app.old"
    ${If} ${Errors}
      MessageBox MB_OK|MB_ICONSTOP "Files of the installed Sendoff are in use. Nothing was changed. Start the computer again, then install." /SD IDOK
      !insertmacro GiveUp ${STILL_RUNNING}
    ${EndIf}
  ${EndIf}
  ClearErrors
  SetOutPath "$INSTDIR\app"
  File /r "${STAGE}\*.*"
  ${If} ${Errors}
    SetOutPath "$TEMP"
    RMDir /r "$INSTDIR\app"
    Rename "$INSTDIR\app.old" "$INSTDIR\app"
    MessageBox MB_OK|MB_ICONSTOP "The files could not be written; is the disk full? The version that was installed before is still there." /SD IDOK
    !insertmacro GiveUp 3
  ${EndIf}
  DetailPrint "Getting ready for the first start"
  nsExec::Exec '"$INSTDIR\app\python.exe" -m compileall -q lib'
  Pop $0
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  RMDir /r "$INSTDIR\app.old"

  !insertmacro Entry "$SMPROGRAMS\${NAME}.lnk"
  CreateShortcut "$SENDTO\${NAME}.lnk" "$INSTDIR\app\${WINDOW}" "--compose --"
  WriteRegStr HKCU "Software\Classes\AppUserModelId\${APP_ID}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "Software\Classes\AppUserModelId\${APP_ID}" "IconUri" "$INSTDIR\app\sendoff.ico"
  WriteRegStr HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\sendoff.exe" "" "$INSTDIR\app\sendoff.exe"
  ; Among the programs that a person may choose for mailto: links.
  WriteRegStr HKCU "Software\Classes\${NAME}.mailto" "" "Write a mail in ${NAME}"
  WriteRegStr HKCU "Software\Classes\${NAME}.mailto" "URL Protocol" ""
  WriteRegStr HKCU "Software\Classes\${NAME}.mailto\DefaultIcon" "" "$INSTDIR\app\sendoff.ico"
  WriteRegStr HKCU "Software\Classes\${NAME}.mailto\shell\open\command" "" '"$INSTDIR\app\${WINDOW}" --compose -- "%1"'
  WriteRegStr HKCU "Software\${NAME}\Capabilities" "ApplicationName" "${NAME}"
  WriteRegStr HKCU "Software\${NAME}\Capabilities" "ApplicationDescription" "Write a post or an e-mail once, and it leaves on time."
  WriteRegStr HKCU "Software\${NAME}\Capabilities\URLAssociations" "mailto" "${NAME}.mailto"
  WriteRegStr HKCU "Software\RegisteredApplications" "${NAME}" "Software\${NAME}\Capabilities"

  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\app\sendoff.ico"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Sendoff developers"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" $0

  !insertmacro SendAgain
SectionEnd

Function un.onInit
  StrCpy $Purge no
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    StrCpy $Purge yes
  ${EndIf}
FunctionEnd

Section "Uninstall"
  !insertmacro Quit "removed"
  ${If} $Purge == no
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "Remove your posts, what is still planned, your settings and the keys of your accounts too? “No” keeps them for the next time." /SD IDNO IDNO +2
    StrCpy $Purge yes
  ${EndIf}
  ${If} $Purge == yes
  ${AndIf} ${FileExists} "${DATA}\sendoff.db"
    ReadEnvStr $0 "SENDOFF_HOME"
    ${If} $0 == "" ; a profile that was put elsewhere is not ours to remove
      nsExec::Exec '"$INSTDIR\app\python.exe" "$INSTDIR\app\forget.py"'
      Pop $0
      RMDir /r "${DATA}"
    ${EndIf}
  ${EndIf}
  SetOutPath "$TEMP"
  DeleteRegValue HKCU "${RUN}" "${NAME}"
  DeleteRegValue HKCU "${APPROVED}" "${NAME}"
  Delete "$SMPROGRAMS\${NAME}.lnk"
  Delete "$SENDTO\${NAME}.lnk"
  DeleteRegKey HKCU "Software\Classes\AppUserModelId\${APP_ID}"
  DeleteRegKey HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\sendoff.exe"
  DeleteRegKey HKCU "Software\Classes\${NAME}.mailto"
  DeleteRegValue HKCU "Software\RegisteredApplications" "${NAME}"
  DeleteRegKey HKCU "Software\${NAME}"
  DeleteRegKey HKCU "${UNINSTALL}"
  RMDir /r "$INSTDIR\app"
  RMDir /r "$INSTDIR\app.old"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR" ; only where nothing of somebody else's is in it
SectionEnd
