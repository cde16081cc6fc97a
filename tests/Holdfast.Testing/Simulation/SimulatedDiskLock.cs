using Holdfast.Log;

namespace Holdfast.Testing.Simulation;

/// <summary>A lock of a <see cref="SimulatedDisk"/>: of the file, whatever its name. A power cut ends it.</summary>
internal sealed class SimulatedDiskLock : IDiskLock
{
    public const int MaxNoteBytes = 1024;

    private readonly SimulatedDisk disk;

    public SimulatedDiskLock(SimulatedDisk disk, FileNode file, string note)
    {
        this.disk = disk;
        File = file;
        file.Lock = this;
        file.Content.SetText(note);
    }

    public FileNode File { get; }

    public void Dispose() => disk.Unlock(this);
}
