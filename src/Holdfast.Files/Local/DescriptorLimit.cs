namespace Holdfast.Files.Local;

/// <summary>How many descriptors this process may have.</summary>
internal static unsafe class DescriptorLimit
{
    /// <summary>Raises the soft limit to the hard one.</summary>
    /// <returns>The wish, or a quarter of the limit if that is less: other parts need descriptors too.</returns>
    public static int Raise(int wish)
    {
        ResourceLimit limit;
        if (LibC.GetLimit(ResourceLimit.OpenFiles, &limit) != 0) return wish;
        if (limit.Soft < limit.Hard)
        {
            ResourceLimit raised = new() { Soft = limit.Hard, Hard = limit.Hard };
            if (LibC.SetLimit(ResourceLimit.OpenFiles, &raised) == 0) limit = raised;
        }

        return (int)Math.Clamp(limit.Soft / 4, 1, (ulong)wish);
    }
}
