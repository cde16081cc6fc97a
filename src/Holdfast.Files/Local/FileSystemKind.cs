namespace Holdfast.Files.Local;

/// <summary>What must be known of a kind of file system.</summary>
internal static unsafe class FileSystemKind
{
    private const long OverlayMagic = 0x794C7630;

    /// <summary>Whether it is an overlay: there a node's time of birth changes when it is first written to.</summary>
    public static bool IsOverlay(Descriptor node)
    {
        StatFs status;
        return LibC.StatFs(node.Number, &status) == 0 && status.Kind == OverlayMagic;
    }
}
