using Holdfast.Log;

namespace Holdfast.Testing;

/// <summary>The real disk doing as on file systems without O_TMPFILE.</summary>
public static class StagingDisk
{
    public static IDisk Create() => new HostDisk(stageByName: true);
}
